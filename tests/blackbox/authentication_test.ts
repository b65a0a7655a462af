import assert from "node:assert/strict";
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import jwt from "jsonwebtoken";
import { JwksClient } from "jwks-rsa";
import { Server, UNLIMITED } from "./harness.ts";

let server: Server;
Deno.test.beforeAll(async () => void (server = await Server.start({ env: UNLIMITED })));
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

const jwksUrl = () => `${server.url}/.well-known/jwks.json`;
/** What a token that this server issues must say of its issuer. */
const issuer = () => server.url.replace("127.0.0.1", "localhost");

function logsOf(username: string): { request_ip: string; request_timestamp: string }[] {
  return server.query(
    "SELECT request_ip, request_timestamp FROM auth_logs JOIN users ON users.id = user_id " +
      "WHERE username = ?",
    username,
  );
}

Deno.test("authentication gives a token that jose verifies against the JWKS", async () => {
  const user = await server.register();
  const answer = await server.login(user);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.deepEqual(Object.keys(answer.json).sort(), ["expires_in", "token", "token_type"]);
  assert.equal(answer.json.token_type, "Bearer");
  const { payload, protectedHeader } = await jwtVerify(
    answer.json.token,
    createRemoteJWKSet(new URL(jwksUrl())),
    { algorithms: ["ES256"], issuer: issuer(), audience: issuer(), subject: user.username },
  );
  assert.equal(protectedHeader.typ, "JWT");
  assert.equal(payload.exp! - payload.iat!, answer.json.expires_in);
  assert.equal(answer.json.expires_in, 3600);
});

Deno.test("authentication gives a token that jwks-rsa and jsonwebtoken verify", async () => {
  const user = await server.register();
  const token = await server.token(user);
  const client = new JwksClient({ jwksUri: jwksUrl() });
  const key = await client.getSigningKey(decodeProtectedHeader(token).kid);
  const payload = jwt.verify(token, key.getPublicKey(), {
    algorithms: ["ES256"],
    issuer: issuer(),
    audience: issuer(),
  });
  assert.equal((payload as jwt.JwtPayload).sub, user.username);
});

Deno.test("authentication gives every token an identifier of its own", async () => {
  const user = await server.register();
  const tokens = await Promise.all(Array.from({ length: 5 }, () => server.token(user)));
  assert.equal(new Set(tokens.map((token) => decodeJwt(token).jti)).size, tokens.length);
});

Deno.test("a token that was tampered with is refused by jose", async () => {
  const [header, , signature] = (await server.token(await server.register())).split(".");
  const other = (await server.token(await server.register())).split(".")[1];
  const keys = createRemoteJWKSet(new URL(jwksUrl()));
  await assert.rejects(jwtVerify(`${header}.${other}.${signature}`, keys), {
    code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
  });
});

Deno.test("a login is on record in auth_logs and last_login when the token arrives", async () => {
  const user = await server.register();
  for (const count of [1, 2, 3]) {
    const before = new Date(Date.now() - 1000).toISOString().replace("T", " ").slice(0, 19);
    await server.token(user);
    const logs = logsOf(user.username);
    assert.equal(logs.length, count);
    assert.equal(logs.at(-1)!.request_ip, "127.0.0.1");
    assert.match(logs.at(-1)!.request_timestamp, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    const [row] = server.query<{ last_login: string }>(
      "SELECT last_login FROM users WHERE username = ?",
      user.username,
    );
    assert.equal(row!.last_login, logs.at(-1)!.request_timestamp);
    assert.ok(row!.last_login > before);
  }
});

Deno.test("a login is on record also when the server is killed right after it", async () => {
  await using mortal = await Server.start({ env: UNLIMITED });
  const user = await mortal.register();
  await mortal.token(user);
  await mortal.kill();
  assert.equal(mortal.query("SELECT * FROM auth_logs WHERE user_id = 1").length, 1);
});

Deno.test("a wrong password and an unknown user get the same answer", async () => {
  const { username } = await server.register();
  const password = crypto.randomUUID();
  const wrong = await server.login({ username, password });
  const unknown = await server.login({ username: `no-${username}`, password });
  for (const answer of [wrong, unknown]) {
    assert.equal(answer.status, 401);
    assert.equal(answer.json.error, "invalid_credentials");
    assert.equal(answer.headers.get("www-authenticate"), 'Basic realm="jwks-server"');
  }
  assert.equal(wrong.text, unknown.text);
  assert.deepEqual([...wrong.headers.keys()].sort(), [...unknown.headers.keys()].sort());
});

Deno.test("a refused login is on record without a user and leaves last_login alone", async () => {
  const { username } = await server.register();
  const anonymous = () => server.query("SELECT id FROM auth_logs WHERE user_id IS NULL").length;
  const before = anonymous();
  await server.login({ username, password: "wrong" });
  await server.login({ username: `no-${username}`, password: "wrong" });
  assert.equal(anonymous(), before + 2);
  assert.deepEqual(logsOf(username), []);
  assert.deepEqual(
    server.query<{ last_login: null }>("SELECT last_login FROM users WHERE username = ?", username)
      .map(({ last_login }) => last_login),
    [null],
  );
});

Deno.test("a username authenticates without regard to case, and the token names it as registered", async () => {
  const user = await server.register(`Mixed-${crypto.randomUUID()}`);
  const token = await server.token({ ...user, username: user.username.toUpperCase() });
  assert.equal(decodeJwt(token).sub, user.username);
});

Deno.test("authentication refuses malformed credentials with 400 and keeps no record", async () => {
  const count = () => server.query("SELECT id FROM auth_logs").length;
  const before = count();
  const bodies = [
    { username: "a" },
    { password: "a" },
    { username: { $ne: "" }, password: "a" },
    { username: "a", password: ["a"] },
    { username: "a", password: "a", expired: "yes" },
    [],
    "",
    "nonsense",
    '{"username":"a","password":"a","password":"b"}',
    "[".repeat(8000),
  ];
  for (const body of bodies) {
    const answer = await server.post("/auth", body);
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.equal(answer.json.error, "invalid_request");
  }
  assert.equal(count(), before);
});
