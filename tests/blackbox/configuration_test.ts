import assert from "node:assert/strict";
import { Directory, Server } from "./harness.ts";

/** A value for each variable that it does not allow. */
const WRONG = {
  HOST: "no host",
  PORT: "65536",
  NOT_MY_KEY: "hunter2",
  ISSUER: "ftp://example.com",
  TOKEN_TTL: "1 hour",
  KEY_ROTATION: "1s",
  KEY_PREPUBLISH: "-1d",
  KEY_RETENTION: "forever",
  RATE_LIMIT: "0",
  RATE_WINDOW: "0s",
  TRUSTED_PROXIES: "10.0.0.0/33",
  REGISTRATION: "maybe",
  EXPIRED_TOKENS: "yes",
  ARGON2_MEMORY_KIB: "1e9",
  ARGON2_PASSES: "0",
  ARGON2_LANES: "many",
  AUTH_CACHE_TTL: "2d",
  AUTH_LOG_RETENTION: "90",
  METRICS_ADDRESS: "9464",
  LOG_LEVEL: "loud",
  LOG_FORMAT: "xml",
};

Deno.test("every problem is told at once, by the variable's name and its value", async () => {
  await using directory = new Directory();
  const { code, stdout, stderr } = await directory.run([], { env: WRONG });
  assert.equal(code, 78);
  assert.equal(stdout, "");
  assert.match(stderr, /^jwks-server: error: the configuration has 21 problems$/m);
  for (const [name, value] of Object.entries(WRONG)) {
    if (name === "NOT_MY_KEY") continue;
    const hint = stderr.split("\n").find((line) =>
      line.startsWith(`jwks-server: hint: ${name} is`)
    );
    assert.ok(hint?.includes(`${JSON.stringify(value)}; allowed is `), name);
  }
  assert.deepEqual(await directory.digests(), {});
});

Deno.test("the value of a secret is never told", async () => {
  await using directory = new Directory();
  const { code, stderr } = await directory.run([], { env: WRONG });
  assert.equal(code, 78);
  assert.match(stderr, /^jwks-server: hint: NOT_MY_KEY is a value that is not shown/m);
  assert.ok(!stderr.includes(WRONG.NOT_MY_KEY));
});

Deno.test("values that are fine one by one and not together are refused", async () => {
  await using directory = new Directory();
  const env = { PORT: "0", KEY_ROTATION: "1h", KEY_PREPUBLISH: "2h", ARGON2_LANES: "100" };
  const { code, stderr } = await directory.run([], { env });
  assert.equal(code, 78);
  assert.match(stderr, /KEY_ROTATION is 1h; allowed is at least KEY_PREPUBLISH/);
  assert.match(stderr, /ARGON2_MEMORY_KIB is 64; allowed is at least 8 times ARGON2_LANES/);
});

Deno.test("a secret that is set and empty is a mistake, not a wish for another one", async () => {
  await using directory = new Directory();
  const { code, stderr } = await directory.run([], { env: { PORT: "0", NOT_MY_KEY: "" } });
  assert.equal(code, 78);
  assert.match(stderr, /NOT_MY_KEY is empty/);
  assert.deepEqual(await directory.digests(), {});
});

Deno.test("an empty variable counts as not set", async () => {
  const names = Object.keys(WRONG).filter((name) => !["PORT", "NOT_MY_KEY"].includes(name));
  const empty = Object.fromEntries([...names, "DATABASE", "AUDIENCE"].map((name) => [name, ""]));
  await using server = await Server.start({ isFullCost: true, env: empty });
  const { username, password } = await server.register();
  const { token, expires_in } = (await server.login({ username, password })).json;
  assert.equal(expires_in, 3600);
  assert.equal(JSON.parse(atob(token.split(".")[1])).iss, `http://localhost:${server.port}`);
});

Deno.test("issuer, audience, token life and database are as configured", async () => {
  const env = {
    ISSUER: "https://issuer.example.com/path",
    AUDIENCE: "the audience",
    TOKEN_TTL: "90s",
    DATABASE: "other.db",
  };
  await using server = await Server.start({ env });
  const { json } = await server.login(await server.register());
  const { iss, aud, iat, exp } = JSON.parse(atob(json.token.split(".")[1]));
  assert.deepEqual([iss, aud, exp - iat], [env.ISSUER, env.AUDIENCE, 90]);
  assert.equal(json.expires_in, 90);
  const files = Object.keys(await server.directory.digests());
  assert.ok(files.every((name) => name.startsWith("other.db")), files.join());
});

Deno.test("rate limit and window are as configured", async () => {
  await using server = await Server.start({ env: { RATE_LIMIT: "2", RATE_WINDOW: "1h" } });
  const statuses: number[] = [];
  for (let i = 0; i < 3; i++) statuses.push((await server.login(STRANGER)).status);
  assert.deepEqual(statuses, [401, 401, 429]);
  const retryAfter = Number((await server.login(STRANGER)).headers.get("retry-after"));
  assert.ok(3500 < retryAfter && retryAfter <= 3600);
});

Deno.test("with REGISTRATION=closed nobody registers, and users still log in", async () => {
  await using directory = new Directory();
  const open = await Server.start({ directory });
  const user = await open.register();
  await open.stop();
  await using closed = await Server.start({ directory, env: { REGISTRATION: "closed" } });
  const answer = await closed.post("/register", { username: "eve", email: "eve@example.com" });
  assert.equal(answer.status, 403);
  assert.equal(answer.json.error, "access_denied");
  assert.deepEqual(closed.query("SELECT id FROM users WHERE username = 'eve'"), []);
  await closed.token(user);
});

const DATABASES: Record<string, Uint8Array> = {
  "is no database": new TextEncoder().encode("this is not a database".repeat(100)),
  "is cut off": new TextEncoder().encode("SQLite format 3\0").slice(0, 16),
};

for (const [how, bytes] of Object.entries(DATABASES)) {
  Deno.test(`a file that ${how} is refused and left as it was`, async () => {
    await using directory = new Directory();
    await Deno.writeFile(directory.database, bytes);
    const before = await directory.digests();
    const { code, stderr } = await directory.run([], { env: { PORT: "0" } });
    assert.equal(code, 78);
    assert.match(stderr, /^jwks-server: error: the database \S+ is corrupt/m);
    assert.deepEqual(await directory.digests(), before);
  });
}

const STRANGER = { username: "nobody", password: "nothing" };
