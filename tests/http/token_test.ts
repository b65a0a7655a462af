import assert from "node:assert/strict";
import { ISSUER, POLICY } from "../support.ts";
import { makeOAuthApp, read, type Said } from "./oauth_app.ts";

function assertRefused({ status, headers, body }: Said, code: string, wanted = 400): void {
  assert.deepEqual([status, body.error], [wanted, code], JSON.stringify(body));
  assert.equal(typeof body.error_description, "string");
  assert.equal(headers.get("cache-control"), "no-store");
}

Deno.test("POST /token gives an access token (RFC 6749 §5.1, RFC 9068)", async () => {
  const { token, time, storage } = await makeOAuthApp();
  const { status, headers, body } = await token();
  assert.equal(status, 200);
  assert.equal(headers.get("cache-control"), "no-store");
  const { access_token, ...rest } = body;
  assert.deepEqual(rest, { token_type: "Bearer", expires_in: POLICY.tokenTtl });
  const { header, claims } = read(access_token);
  assert.equal(header.typ, "at+jwt");
  const { jti, ...others } = claims;
  assert.ok(jti);
  assert.deepEqual(others, {
    iss: ISSUER,
    sub: "svc",
    client_id: "svc",
    aud: ISSUER,
    iat: time.seconds,
    exp: time.seconds + POLICY.tokenTtl,
  });
  const [entry] = await storage.newestAuthentications(1);
  assert.equal(entry!.username, "svc", "no token without its row");
});

Deno.test("POST /token authenticates by HTTP Basic, by the body and by an assertion", async () => {
  const { post, grant, secret, basic, addKey, assertion } = await makeOAuthApp();
  const key = await addKey("k1");
  assert.equal((await post("/token", grant, basic)).status, 200);
  assert.equal((await post("/token", { ...grant, ...secret })).status, 200);
  assert.equal((await post("/token", { ...grant, ...await assertion(key) })).status, 200);
});

Deno.test("POST /token refuses a client as RFC 6749 §5.2 says, and asks for Basic who used it", async () => {
  const { post, grant, storage } = await makeOAuthApp();
  const wrong = await post("/token", { ...grant, client_id: "svc", client_secret: "wrong" });
  assertRefused(wrong, "invalid_client", 401);
  assert.equal(wrong.headers.get("www-authenticate"), null);
  const authorization = `Basic ${btoa("svc:wrong")}`;
  const basic = await post("/token", grant, { authorization });
  assertRefused(basic, "invalid_client", 401);
  assert.equal(basic.headers.get("www-authenticate"), 'Basic realm="jwks-server"');
  assertRefused(await post("/token", grant), "invalid_client", 401);
  assert.equal((await storage.newestAuthentications(9)).length, 2, "what was checked is on record");
});

Deno.test("POST /token refuses what it does not understand", async () => {
  const { post, grant, secret, basic, token } = await makeOAuthApp();
  assertRefused(await post("/token", secret), "invalid_request");
  assertRefused(await token({ grant_type: "password" }), "unsupported_grant_type");
  assertRefused(await post("/token", { ...grant, ...secret }, basic), "invalid_request");
  const twice = new URLSearchParams({ ...grant, ...secret }).toString();
  assertRefused(await post("/token", `${twice}&scope=a&scope=b`), "invalid_request");
  assertRefused(await post("/token?client_secret=x&username=a", grant), "invalid_request");
  const typed = await post("/token", "{}", { "content-type": "application/json" });
  assertRefused(typed, "unsupported_media_type", 415);
});

Deno.test("POST /token gives the scope that is asked for, or all, and never more or less", async () => {
  const { token, setPolicy } = await makeOAuthApp();
  assertRefused(await token({ scope: "read" }), "invalid_scope");
  await setPolicy({ scopes: ["read", "write"] });
  const all = await token();
  assert.equal(all.body.scope, "read write");
  assert.equal(read(all.body.access_token).claims.scope, "read write");
  const one = await token({ scope: "write" });
  assert.equal(one.body.scope, undefined, "it is as it was asked for");
  assert.equal(read(one.body.access_token).claims.scope, "write");
  assert.equal((await token({ scope: "write write" })).body.scope, "write");
  assertRefused(await token({ scope: "read admin" }), "invalid_scope");
});

Deno.test("POST /token gives tokens for the services of the client alone (RFC 8707)", async () => {
  const { token, setPolicy } = await makeOAuthApp();
  assertRefused(await token({ resource: "https://orders.example" }), "invalid_target");
  assert.equal(read((await token({ resource: ISSUER })).body.access_token).claims.aud, ISSUER);
  await setPolicy({ audiences: ["https://a.example", "https://b.example"] });
  const audienceOf = async (form: Record<string, string>) =>
    read((await token(form)).body.access_token).claims.aud;
  assert.equal(await audienceOf({}), "https://a.example");
  assert.equal(await audienceOf({ resource: "https://b.example" }), "https://b.example");
  assert.equal(await audienceOf({ audience: "https://b.example" }), "https://b.example");
  for (const form of [{ resource: ISSUER }, { audience: "c" }, { resource: "not a uri" }]) {
    assertRefused(await token(form), "invalid_target");
  }
  const both = { resource: "https://a.example", audience: "https://b.example" };
  assertRefused(await token(both), "invalid_target");
});

Deno.test("POST /token puts the client's claims and life into its tokens, as /auth does", async () => {
  const { token, setPolicy, post, secret, password } = await makeOAuthApp();
  await setPolicy({ claims: { tenant: "blue" }, tokenTtl: 60, audiences: ["orders"] });
  const { body } = await token();
  assert.equal(body.expires_in, 60);
  assert.equal(read(body.access_token).claims.tenant, "blue");
  const auth = await post("/auth", { username: secret.client_id, password });
  const { header, claims } = read(auth.body.token);
  assert.deepEqual([header.typ, claims.tenant, claims.aud], ["JWT", "blue", "orders"]);
  assert.equal(auth.body.expires_in, 60);
});

Deno.test("/auth, /token, /introspect and /password share one limit of a client", async () => {
  const { send } = await makeOAuthApp();
  const statuses: number[] = [];
  for (const path of ["/auth", "/token", "/introspect", "/password"]) {
    for (let tries = 0; tries < 3; tries++) {
      statuses.push((await send(path, { method: "POST" }, "192.0.2.9")).status);
    }
  }
  assert.deepEqual(statuses.map((status) => status === 429).indexOf(true), 10);
  for (const path of ["/token", "/introspect", "/password"]) {
    const answer = await send(path, { method: "GET" });
    assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "POST"]);
  }
});
