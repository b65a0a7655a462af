/** What is meant for an interpreter: SQL in the database, lines in the log; and what the log may hold. */

import assert from "node:assert/strict";
import { makeClientKey, sign } from "../tokens/signed.ts";
import type { Credentials } from "./client.ts";
import { converse, request } from "./conversation.ts";
import { Server, UNLIMITED } from "./harness.ts";
import { assertSafe, MARK } from "./safe_answer.ts";

const FORM = "application/x-www-form-urlencoded";
const JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const SECRET = "a secret that no log may hold";

let server: Server;
let user: Credentials;
Deno.test.beforeAll(async () => {
  const env = { ...UNLIMITED, SIGNING_ALG: "EdDSA", LOG_LEVEL: "debug", NOT_MY_KEY: SECRET };
  server = await Server.start({ env: { ...env, TRUSTED_PROXIES: "127.0.0.1" } });
  user = await server.register("victim");
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

/** Asks for something, and gives the status of the answer, which is safe. */
async function ask(path: string, body: unknown, headers: Record<string, string> = {}) {
  const answer = await server.post(path, body, headers);
  assertSafe(answer);
  return answer.status;
}

function form(path: string, fields: Record<string, string>, headers = {}): Promise<number> {
  return ask(path, new URLSearchParams(fields).toString(), { "content-type": FORM, ...headers });
}

/** What the database is, but for the rows of refused logins. */
function state() {
  const count = (table: string) => server.query(`SELECT * FROM ${table}`).length;
  const tables = ["keys", "client_policies", "client_credentials", "tombstones", "meta"];
  return {
    counts: Object.fromEntries(tables.map((table) => [table, count(table)])),
    users: server.query("SELECT id, username, password_hash, email FROM users"),
    schema: server.query("SELECT name, sql FROM sqlite_master ORDER BY name"),
    successes: server.query("SELECT id FROM auth_logs WHERE user_id IS NOT NULL").length,
  };
}

/** The log's lines, each of which is one JSON object. */
function logLines(): Record<string, unknown>[] {
  return server.stderr.trimEnd().split("\n").map((line) => {
    assert.match(line, /^[ -~]*$/, "nothing that a terminal obeys");
    const parsed = JSON.parse(line);
    assert.deepEqual([typeof parsed.time, typeof parsed.message], ["string", "string"], line);
    return parsed;
  });
}

const SQL = [
  "' OR '1'='1",
  "' OR 1=1 --",
  "victim' --",
  "victim'; DROP TABLE users; --",
  "'; UPDATE users SET password_hash = ''; --",
  "' UNION SELECT id, username, password_hash FROM users --",
  'victim" OR ""="',
  "victim\\' OR 1=1 --",
  "%",
  "1); DELETE FROM keys; --",
  ":username",
  "?1",
  "$id",
];

Deno.test("SQL is a text like any other, wherever it stands", async () => {
  const before = state();
  const key = await makeClientKey("k1");
  for (const sql of SQL) {
    const { username, password } = user;
    const grant = {
      grant_type: "client_credentials",
      client_id: username,
      client_secret: password,
    };
    assert.equal(await ask("/auth", { username: sql, password }), 401, sql);
    assert.equal(await ask("/auth", { username, password: sql }), 401, sql);
    assert.equal(await ask("/register", { username: sql, email: "a@b.example" }), 400, sql);
    assert.ok([400, 409].includes(await ask("/register", { username, email: `${sql}@b.example` })));
    assert.equal(await form("/token", { ...grant, client_id: sql }), 401, sql);
    assert.equal(await form("/token", { ...grant, client_secret: sql }), 401, sql);
    assert.equal(await form("/token", { ...grant, grant_type: sql }), 400, sql);
    assert.equal(await form("/token", { ...grant, scope: sql }), 400, sql);
    assert.equal(await form("/token", { ...grant, audience: sql }), 400, sql);
    assert.equal(
      await form("/token", { ...grant, resource: `https://a.example/${sql}` }),
      400,
      sql,
    );
    assert.equal(await form("/password", { client_id: sql, client_secret: sql }), 401, sql);
    assert.equal(
      await form("/introspect", { token: sql, client_id: sql, client_secret: "x" }),
      401,
    );
    const basic = { authorization: `Basic ${btoa(`${sql.replaceAll(":", "")}:${password}`)}` };
    assert.equal(await ask("/auth", "", { ...basic, "content-type": "" }), 415, sql);
    const claims = { iss: sql, sub: sql, aud: server.url, jti: sql, exp: Date.now() };
    for (
      const assertion of [
        await sign({ alg: "ES256", kid: sql }, claims, key),
        await sign({ alg: "ES256", kid: sql }, { ...claims, iss: username, sub: username }, key),
      ]
    ) {
      const proof = { client_assertion_type: JWT_BEARER, client_assertion: assertion };
      assert.equal(await form("/token", { grant_type: "client_credentials", ...proof }), 401, sql);
    }
    const query = new URLSearchParams({ [sql]: sql });
    assert.equal(await ask(`/auth?${query}`, { username: "nobody", password }), 401, sql);
    assert.equal((await server.request(`/${encodeURIComponent(sql)}`)).status, 404, sql);
    const names = ["user-agent", "referer", "x-forwarded-for", "x-real-ip", "cookie", "origin"];
    const headers = Object.fromEntries(names.map((name) => [name, sql]));
    assert.equal(await ask("/auth", { username: "nobody", password: "x" }, headers), 401, sql);
  }
  assert.deepEqual(state(), before);
  assert.equal(
    server.query<{ integrity_check: string }>("PRAGMA integrity_check")[0]!.integrity_check,
    "ok",
  );
  const odd = server.query("SELECT id FROM auth_logs WHERE request_ip <> '127.0.0.1'");
  assert.deepEqual(odd, [], "no text from outside stands in the log");
});

Deno.test("no request writes into the log, nor a line break, nor what a terminal obeys", async () => {
  const broken = [
    `${MARK}\r\n{"time":"","level":"error","message":"forged"}`,
    `${MARK}\u001b[2J\u001b]0;x\u0007`,
    `${MARK}\u2028\u202e\u0085`,
  ];
  for (const text of broken) {
    await ask("/auth", { username: text, password: text });
    await form("/token", { grant_type: text, client_id: text, client_secret: text });
    await ask(`/auth?${encodeURIComponent(text)}=1`, {});
    assert.equal((await server.request(`/${encodeURIComponent(text)}`)).status, 404);
  }
  const raw = [
    request("GET /nothing", [`User-Agent: ${MARK}\u001b[2J`, `X-Forwarded-For: ${MARK}\u001b[2J`]),
    request("GET /nothing", [`X-Request-Id: ${MARK}`, `Traceparent: ${MARK}`, `A: \xff\xfe`]),
    request(`GET /${MARK}%0d%0aSet-Cookie:%20a=b`),
    request("GET /nothing", [`User-Agent: a\r\n${MARK}: b`, `Referer: ${MARK}\rSet-Cookie: a=b`]),
    request("POST /auth", ["Content-Length: 3", `Content-Type: ${MARK}/x; \u001b[1m`], "abc"),
  ];
  for (const bytes of raw) {
    for (const answer of (await converse(server.url, bytes)).answers) assertSafe(answer);
  }
  logLines();
  assert.ok(!server.stderr.includes(MARK));
});

Deno.test("what stands in the database enters the log escaped, in one line", async () => {
  const odd = await server.register("odd-row");
  const database = server.openDatabase();
  const name = 'odd\n{"level":"error"}\u001b[2J\u202e\u0085';
  database.prepare("UPDATE users SET username = ?, password_hash = 'none' WHERE username = ?")
    .run(name, odd.username);
  database.close();
  assert.equal(await ask("/auth", { username: name, password: odd.password }), 401);
  const lines = logLines().filter(({ username }) => username === name);
  assert.equal(lines.length, 1, "the row without a hash is told");
});

Deno.test("at LOG_LEVEL=debug no password, token, key or header of credentials is in the log", async () => {
  const client = await server.register();
  const { username, password } = client;
  const token = await server.token(client);
  const basic = `Basic ${btoa(`${username}:${password}`)}`;
  const grant = { grant_type: "client_credentials" };
  const bearer = { authorization: `Bearer ${token}`, dpop: token };
  const statuses = [
    await ask("/auth", "", { authorization: basic, "content-type": "application/json" }),
    await form("/auth", { username, password, expired: "true" }),
    await form("/token", grant, { authorization: basic }),
    await form("/token", grant, bearer),
    await form("/introspect", { token }, { authorization: basic }),
    await form("/token", { ...grant, client_assertion_type: JWT_BEARER, client_assertion: token }),
    await ask(`/auth?password=${password}`, {}),
    await ask(`/token?client_secret=${password}`, {}),
    await ask("/auth", `{"username":"${username}","password":"${password}"`),
    await ask(`/${password}`, password),
    await ask("/register", { username, email: `${password}@x` }),
  ];
  assert.deepEqual(statuses, [400, 200, 200, 401, 200, 401, 400, 400, 400, 404, 400]);

  // A fault while the login is recorded: what is logged of it tells no secret, either.
  const database = server.openDatabase();
  database.exec(
    "CREATE TRIGGER fault BEFORE INSERT ON auth_logs BEGIN SELECT RAISE(ABORT, 'x'); END",
  );
  const failed = await server.post("/auth", { username, password });
  database.exec("DROP TRIGGER fault");
  database.close();
  assert.ok(failed.status >= 500 && !failed.text.includes("RAISE"), failed.text);
  assert.equal(await ask("/auth", { username, password }), 200);

  const { access_token } = (await server.post(
    "/token",
    new URLSearchParams({ ...grant, client_id: username, client_secret: password }).toString(),
    { "content-type": FORM },
  )).json;
  const rotated = await server.post(
    "/password",
    new URLSearchParams({ client_id: username, client_secret: password }).toString(),
    { "content-type": FORM },
  );
  assertSafe(rotated);
  const hashes = server.query<{ password_hash: string }>("SELECT password_hash FROM users");
  const keys = server.query<{ key: Uint8Array }>("SELECT key FROM keys");
  const secrets = [
    ...[password, rotated.json.password, token, access_token, basic, basic.slice(6), SECRET],
    ...hashes.map((row) => row.password_hash).filter((hash) => hash !== "none"),
    ...keys.map(({ key }) => new TextDecoder().decode(key).slice(-40)),
  ];
  assert.ok(logLines().length > 3, "there is a log");
  for (const secret of secrets) assert.ok(!server.stderr.includes(secret), secret);
});
