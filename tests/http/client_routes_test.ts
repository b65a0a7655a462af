import assert from "node:assert/strict";
import { ISSUER, makeApp, openStorage, wrapStorage } from "../support.ts";
import { makeOAuthApp } from "./oauth_app.ts";

Deno.test("POST /introspect tells an authenticated client what a token says (RFC 7662 §2)", async () => {
  const { post, token, secret, storage } = await makeOAuthApp();
  const { access_token } = (await token()).body;
  const { status, headers, body } = await post("/introspect", { ...secret, token: access_token });
  assert.deepEqual([status, body.active, body.sub, body.iss], [200, true, "svc", ISSUER]);
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal((await storage.newestAuthentications(9)).length, 2, "both are on record");
  const other = await post("/introspect", { ...secret, token: "nothing" });
  assert.deepEqual([other.status, other.body], [200, { active: false }]);
});

Deno.test("POST /introspect tells nothing to who is not authenticated, or asks for nothing", async () => {
  const { post, token, secret } = await makeOAuthApp();
  const { access_token } = (await token()).body;
  const stranger = await post("/introspect", { token: access_token });
  assert.deepEqual([stranger.status, stranger.body.error], [401, "invalid_client"]);
  const empty = await post("/introspect", secret);
  assert.deepEqual([empty.status, empty.body.error], [400, "invalid_request"]);
});

Deno.test("POST /password gives a new password, and the old one goes on for the overlap alone", async () => {
  const { post, secret, grant, token, time } = await makeOAuthApp();
  const { status, headers, body } = await post("/password", secret);
  assert.equal(status, 201);
  assert.equal(headers.get("cache-control"), "no-store");
  assert.match(
    body.password,
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  const renewed = { ...grant, client_id: "svc", client_secret: body.password };
  assert.equal((await post("/token", renewed)).status, 200);
  assert.equal((await token()).status, 200);
  time.advance(86_400);
  assert.equal((await token()).status, 401);
  assert.equal((await post("/token", renewed)).status, 200);
});

Deno.test("POST /password needs no body beside HTTP Basic, and without both it is refused", async () => {
  const { send, basic } = await makeOAuthApp();
  const answer = await send("/password", { method: "POST", headers: basic });
  assert.equal(answer.status, 201);
  const stranger = await send("/password", { method: "POST" });
  assert.deepEqual([stranger.status, (await stranger.json()).error], [401, "invalid_client"]);
});

Deno.test("POST /password is refused to a password that is being replaced, and to strangers", async () => {
  const { post, secret } = await makeOAuthApp();
  await post("/password", secret);
  const again = await post("/password", secret);
  assert.deepEqual([again.status, again.body.error], [403, "access_denied"]);
  assert.equal(again.body.error_description, "This password was replaced: use the new one");
  const stranger = await post("/password", { client_id: "svc", client_secret: "wrong" });
  assert.deepEqual([stranger.status, stranger.body.error], [401, "invalid_client"]);
});

Deno.test("POST /password gives nothing by a password that is reset while it is replaced", async () => {
  const storage = wrapStorage(openStorage(), (own) => ({
    recordAuthentication: async (record) => {
      const revision = await own.recordAuthentication(record);
      if (record.user === null) return revision;
      const { id, passwordHash: from } = record.user;
      await own.replacePassword(id, { from, to: `${from}${from.at(-1)}` });
      return revision;
    },
  }));
  const { post, secret } = await makeOAuthApp({ storage });
  const { status, headers, body } = await post("/password", secret);
  assert.deepEqual([status, body.error, headers.get("retry-after")], [503, "overloaded", "1"]);
  assert.equal((await post("/password", secret)).status, 401, "the reset stands");
});

Deno.test("The metadata is served where clients look, for caches and pages of any origin", async () => {
  const { send } = await makeOAuthApp();
  for (const path of ["oauth-authorization-server", "openid-configuration"]) {
    const answer = await send(`/.well-known/${path}`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), "application/json");
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    assert.match(answer.headers.get("cache-control")!, /^public, max-age=300/);
    assert.equal((await answer.json()).issuer, ISSUER);
    const etag = answer.headers.get("etag")!;
    const again = await send(`/.well-known/${path}`, { headers: { "if-none-match": etag } });
    assert.deepEqual([again.status, await again.text()], [304, ""]);
    assert.equal((await send(`/.well-known/${path}`, { method: "POST" })).status, 405);
  }
});

Deno.test("An issuer with a path has its routes there, and its metadata where each standard says", async () => {
  const issuerUrl = "https://a.example/b/c";
  const { send } = await makeApp({ policy: { alg: "ES256" }, app: { issuerUrl } });
  for (
    const path of [
      "/.well-known/oauth-authorization-server/b/c",
      "/b/c/.well-known/openid-configuration",
      "/b/c/.well-known/jwks.json",
      "/.well-known/jwks.json",
    ]
  ) {
    assert.equal((await send(path)).status, 200, path);
  }
  assert.equal((await send("/b/c/token", { method: "GET" })).status, 405);
  assert.equal((await send("/.well-known/openid-configuration")).status, 404);
});
