/** What `POST /token` gives, and what the tokens are worth at `/introspect`, to a client outside. */

import assert from "node:assert/strict";
import { calculateJwkThumbprint, createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { sign } from "../tokens/signed.ts";
import { Server, UNLIMITED } from "./harness.ts";
import { OAuthClient, seconds } from "./oauth_client.ts";

const API = "https://orders.example";
const server = await Server.start({ env: { ...UNLIMITED, SIGNING_ALG: "ES256" } });
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

Deno.test("a token is as its client's record says, and as RFC 9068 §2 does", async () => {
  const client = await OAuthClient.make(
    server,
    ...["--scope", "read", "--scope", "write", "--audience", API, "--audience", "urn:other"],
    ...["--claim", 'team="blue"', "--token-ttl", "5m"],
  );
  const { status, headers, json } = await client.token();
  assert.deepEqual([status, headers.get("cache-control")], [200, "no-store"]);
  const { access_token, ...rest } = json;
  assert.deepEqual(rest, { token_type: "Bearer", expires_in: 300, scope: "read write" });
  const keys = createRemoteJWKSet(new URL(`${client.issuer}/.well-known/jwks.json`));
  const expected = { issuer: client.issuer, audience: API, typ: "at+jwt" };
  const { payload: { iat, exp, jti, ...claims } } = await jwtVerify(access_token, keys, expected);
  assert.equal(exp! - iat!, 300);
  assert.ok(jti);
  const { username: name } = client;
  assert.deepEqual(claims, {
    iss: client.issuer,
    sub: name,
    client_id: name,
    aud: API,
    scope: "read write",
    team: "blue",
  });
  const part = await client.token({ scope: "read", resource: "urn:other" });
  assert.equal(part.json.scope, undefined, "it is as it was asked for (RFC 6749 §5.1)");
  const { scope, aud } = decodeJwt(part.json.access_token);
  assert.deepEqual([scope, aud], ["read", "urn:other"]);
});

Deno.test("HTTP Basic is decoded as a form is (RFC 6749 §2.3.1)", async () => {
  const client = await OAuthClient.make(server);
  const [name, secret] = [client.username, client.password].map((text) =>
    text.replaceAll("-", "%2D")
  );
  const authorization = `Basic ${btoa(`${name}:${secret}`)}`;
  const grant = { grant_type: "client_credentials" };
  assert.equal((await client.post("/token", grant, { authorization })).status, 200);
});

Deno.test("an assertion is for the issuer or the token endpoint (RFC 7523 §3)", async () => {
  const client = await OAuthClient.make(server);
  for (const aud of [client.issuer, `${client.issuer}/token`]) {
    assert.equal((await client.tokenBy(await client.assertion({ aud }))).status, 200, aud);
  }
});

Deno.test("a token is bound to the key of its proof (RFC 9449 §6.1), and must be when the client's tokens must", async () => {
  const client = await OAuthClient.make(server, "--require-dpop");
  const { status, json } = await client.token();
  assert.deepEqual([status, json.error], [400, "invalid_dpop_proof"]);
  const bound = await client.token({}, await client.proof());
  assert.deepEqual([bound.status, bound.json.token_type], [200, "DPoP"]);
  const jkt = await calculateJwkThumbprint(client.key.jwk);
  assert.deepEqual(decodeJwt(bound.json.access_token).cnf, { jkt });
  const said = await client.post("/introspect", {
    ...client.secret,
    token: bound.json.access_token,
  });
  const { active, token_type, cnf } = said.json;
  assert.deepEqual({ active, token_type, cnf }, { active: true, token_type: "DPoP", cnf: { jkt } });
});

Deno.test("a password that is replaced goes on for a while, and ends as its record says", async () => {
  const client = await OAuthClient.make(server);
  const { status, json } = await client.post("/password", client.secret);
  assert.equal(status, 201);
  assert.equal((await client.token()).status, 200);
  assert.equal((await client.token({ client_secret: json.password })).status, 200);
  await client.command("rotate-password", "--overlap", "1s");
  const ended = Date.now() + 1000;
  assert.equal((await client.token()).status, 401, "two passwords are valid, no more");
  while (Date.now() <= ended) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal((await client.token({ client_secret: json.password })).status, 401);
});

Deno.test("/introspect says that a token is not active when nobody may rely on it (RFC 7662 §2.2)", async () => {
  const client = await OAuthClient.make(server);
  const asker = await OAuthClient.make(server);
  const isActive = async (token: string) => {
    const { status, json } = await asker.post("/introspect", { ...asker.secret, token });
    assert.equal(status, 200);
    if (!json.active) assert.deepEqual(json, { active: false });
    return json.active;
  };
  const { access_token: token } = (await client.token()).json;
  assert.equal(await isActive(token), true);
  const { token: expired } = (await server.post("/auth?expired=true", {
    username: client.username,
    password: client.password,
  })).json;
  const now = seconds();
  const claims = { iss: client.issuer, sub: client.username, aud: client.issuer };
  const forged = await sign({ alg: "ES256", typ: "at+jwt", kid: "k1" }, {
    ...{ ...claims, iat: now, exp: now + 60 },
  }, client.key);
  for (const other of [expired, forged, token.slice(0, -8), "no token"]) {
    assert.equal(await isActive(other), false);
  }
  await client.command("disable");
  assert.equal(await isActive(token), false);
  await client.command("enable");
  assert.equal(await isActive(token), true);
  await client.command("delete");
  assert.equal(await isActive(token), false);
  const { status, json } = await asker.post("/introspect", { token });
  assert.deepEqual([status, json.error], [401, "invalid_client"]);
});
