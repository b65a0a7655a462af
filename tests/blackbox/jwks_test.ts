import assert from "node:assert/strict";
import { eventually, Server, UNLIMITED } from "./harness.ts";
import { keyRows, keyStates, settled } from "./keys.ts";

const PATH = "/.well-known/jwks.json";

let server: Server;
Deno.test.beforeAll(async () => {
  server = await Server.start({ env: UNLIMITED, isFullCost: true });
  await settled(server);
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

Deno.test("the JWKS has exactly the public members of each key", async () => {
  const answer = await server.jwks();
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "application/jwk-set+json");
  assert.deepEqual(Object.keys(answer.json), ["keys"]);
  for (const key of answer.json.keys) {
    assert.deepEqual(Object.keys(key).sort(), ["alg", "e", "kid", "kty", "n", "use"]);
    assert.deepEqual([key.kty, key.use, key.alg, key.e], ["RSA", "sig", "RS256", "AQAB"]);
    assert.match(key.kid, /^\d{13}$/);
    assert.match(key.n, /^[\w-]{342}$/); // 2048 bits
  }
});

Deno.test("the JWKS has every unexpired key of the table and no expired one", async () => {
  const now = Date.now() / 1000;
  const unexpired = keyRows(server.directory).filter(({ exp }) => exp > now);
  const published = (await server.jwks()).json.keys.map(({ kid }: { kid: string }) => kid);
  assert.deepEqual(published.sort(), unexpired.map(({ kid }) => String(kid)));
});

Deno.test("the keys table has an unexpired and an expired row, with exp in seconds", () => {
  const now = Date.now() / 1000;
  const times = keyRows(server.directory).map(({ exp }) => exp);
  assert.ok(times.some((exp) => exp > now));
  assert.ok(times.some((exp) => exp <= now));
  assert.ok(times.every((exp) => Math.abs(exp - now) < 10 * 365 * 86_400));
  assert.deepEqual(keyStates(server.directory), ["active", "born expired", "next"]);
});

Deno.test("the tables have exactly the agreed columns", () => {
  const columns = (table: string) =>
    server.query<{ name: string }>("SELECT name FROM pragma_table_info(?)", table)
      .map(({ name }) => name);
  assert.deepEqual(columns("keys"), ["kid", "key", "exp"]);
  assert.deepEqual(columns("users"), [
    "id",
    "username",
    "password_hash",
    "email",
    "date_registered",
    "last_login",
  ]);
  assert.deepEqual(columns("auth_logs"), ["id", "request_ip", "request_timestamp", "user_id"]);
});

Deno.test("the JWKS may be cached for five minutes and tells its version", async () => {
  const { headers } = await server.jwks();
  assert.equal(
    headers.get("cache-control"),
    "public, max-age=300, stale-while-revalidate=60, stale-if-error=3600",
  );
  assert.match(headers.get("etag")!, /^"[^"]+"$/);
});

Deno.test("the JWKS is the same bytes and the same ETag every time", async () => {
  const first = await server.jwks();
  const second = await server.jwks();
  assert.deepEqual(second.bytes, first.bytes);
  assert.equal(second.headers.get("etag"), first.headers.get("etag"));
});

Deno.test("the JWKS answers 304 to whoever has it, and 200 to whoever has another", async () => {
  const etag = (await server.jwks()).headers.get("etag")!;
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
    const answer = await server.jwks({ "if-none-match": known });
    assert.equal(answer.status, 304, known);
    assert.equal(answer.text, "");
    assert.equal(answer.headers.get("etag"), etag);
    assert.equal(
      answer.headers.get("cache-control"),
      "public, max-age=300, stale-while-revalidate=60, stale-if-error=3600",
    );
  }
  for (const known of ['"other"', etag.slice(1, -1)]) {
    assert.equal((await server.jwks({ "if-none-match": known })).status, 200, known);
  }
});

Deno.test("a HEAD of the JWKS has the headers of a GET and no body", async () => {
  // Deno adds these two by itself; older ones say `Vary` of what they might compress.
  const own = ({ headers }: { headers: Headers }) =>
    [...headers].filter(([name]) => name !== "date" && name !== "vary");
  const get = await server.jwks();
  const head = await server.request(PATH, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(head.text, "");
  assert.deepEqual(own(head), own(get));
  assert.ok(own(get).length >= 4);
  assert.equal(head.headers.get("content-length"), String(get.bytes.length));
});

Deno.test("while another program holds the database, the JWKS is served and logins wait", async () => {
  const user = await server.register();
  const before = await server.jwks();
  const holder = server.openDatabase();
  try {
    holder.exec("BEGIN EXCLUSIVE");
    const [jwks, login] = await Promise.all([server.jwks(), server.login(user)]);
    assert.equal(jwks.status, 200);
    assert.deepEqual(jwks.bytes, before.bytes);
    assert.equal(login.status, 503);
    assert.equal(login.json.error, "overloaded");
    assert.match(login.headers.get("retry-after")!, /^[1-9]\d*$/);
    assert.ok(!/sqlite|database|locked|busy/i.test(login.text));
    const registration = await server.post("/register", { username: "x", email: "x@example.com" });
    assert.equal(registration.status, 503);
  } finally {
    holder.close(); // gives up the lock
  }
  await eventually("logins work again", async () => {
    return (await server.login(user)).status === 200 ? true : undefined;
  });
});

Deno.test("no token leaves while its login cannot be put on record", async () => {
  const user = await server.register();
  const holder = server.openDatabase();
  try {
    holder.exec("BEGIN IMMEDIATE");
    assert.ok(!("token" in (await server.login(user)).json));
  } finally {
    holder.close();
  }
  assert.deepEqual(
    server.query(
      "SELECT * FROM auth_logs JOIN users ON users.id = user_id WHERE username = ?",
      user.username,
    ),
    [],
  );
});
