import assert from "node:assert/strict";
import { calculateJwkThumbprint } from "jose";
import { ISSUER } from "../support.ts";
import { makeClientKey } from "../tokens/signed.ts";
import { makeOAuthApp, read, TOKEN_ENDPOINT } from "./oauth_app.ts";

Deno.test("POST /token refuses an assertion that is not for it, not of the client, or not of its keys (RFC 7523 §3)", async () => {
  const { post, grant, addKey, assertion, time, storage } = await makeOAuthApp();
  const key = await addKey("k1");
  const bad = [
    await assertion(key, { aud: "https://other.example" }),
    await assertion(key, { aud: [ISSUER] }),
    await assertion(key, { sub: undefined }),
    await assertion(key, { iss: "other" }),
    await assertion(key, { exp: time.seconds - 300 }),
    await assertion(key, { exp: time.seconds + 3600 }),
    await assertion(key, { jti: undefined }),
    await assertion(key, {}, { alg: "none" }),
    await assertion(key, {}, { alg: "HS256" }),
    await assertion(await makeClientKey("k1")),
    await assertion(await makeClientKey("k2")),
    await assertion(key, { iss: "nobody", sub: "nobody" }),
  ];
  for (const [place, form] of bad.entries()) {
    const { status, body } = await post("/token", { ...grant, ...form });
    assert.deepEqual([status, body.error], [401, "invalid_client"], `assertion ${place}`);
  }
  assert.ok((await storage.newestAuthentications(99)).every(({ username }) => username === null));
});

Deno.test("POST /token takes an assertion once (RFC 7523 §3), for the issuer or the endpoint", async () => {
  const { post, grant, addKey, assertion } = await makeOAuthApp();
  const key = await addKey("k1");
  const form = { ...grant, ...await assertion(key, { aud: TOKEN_ENDPOINT }) };
  assert.equal((await post("/token", form)).status, 200);
  assert.equal((await post("/token", form)).body.error, "invalid_client");
});

Deno.test("POST /token knows which key of a client an assertion is of, named or not", async () => {
  const { post, grant, addKey, assertion, storage } = await makeOAuthApp();
  await addKey("k1");
  const second = await addKey("k2");
  const unnamed = await assertion(second, {}, { kid: undefined });
  assert.equal((await post("/token", { ...grant, ...unnamed })).status, 200);
  const { credentials } = (await storage.findClient("svc"))!;
  assert.deepEqual(credentials.map(({ kid, lastUsed }) => [kid, lastUsed !== null]), [
    ["k1", false],
    ["k2", true],
  ]);
});

Deno.test("POST /token refuses the keys of a client that is disabled, and keys that were taken from it", async () => {
  const { post, grant, addKey, assertion, storage, id } = await makeOAuthApp();
  const key = await addKey("k1");
  const ask = async () => (await post("/token", { ...grant, ...await assertion(key) })).status;
  const { passwordHash } = (await storage.findUser("svc"))!;
  await storage.replacePasswordHash(id, passwordHash, `!${passwordHash}`);
  assert.equal(await ask(), 401);
  await storage.replacePasswordHash(id, `!${passwordHash}`, passwordHash);
  assert.equal(await ask(), 200);
  await storage.removeCredential(id, "k1");
  assert.equal(await ask(), 401);
});

Deno.test("POST /token binds a token to the key of a DPoP proof (RFC 9449 §5, §6.1)", async () => {
  const { token, proof } = await makeOAuthApp();
  const key = await makeClientKey();
  const { status, body } = await token({}, await proof(key));
  assert.deepEqual([status, body.token_type], [200, "DPoP"]);
  const { cnf } = read(body.access_token).claims;
  assert.deepEqual(cnf, { jkt: await calculateJwkThumbprint(key.jwk) });
});

Deno.test("POST /token refuses a DPoP proof that proves nothing (RFC 9449 §4.3)", async () => {
  const { token, proof, time } = await makeOAuthApp();
  const key = await makeClientKey();
  const later = () => time.seconds + 1; // the clock moves on before each request
  const bad = [
    () => proof(key, {}, { jwk: key.privateJwk }),
    () => proof(key, { htu: "https://other.example/token" }),
    () => proof(key, { htm: "GET" }),
    () => proof(key, { iat: later() - 61 }),
    () => proof(key, { iat: later() + 62 }),
    () => proof(key, { nbf: later() + 120 }),
    () => proof(key, { exp: later() - 120 }),
    () => proof(key, {}, { alg: "HS256" }),
    () => proof(key, {}, { typ: "JWT" }),
    () => proof(key, { jti: undefined }),
    () => Promise.resolve({ dpop: "a.b.c, d.e.f" }),
  ];
  for (const [place, make] of bad.entries()) {
    const { status, body } = await token({}, await make());
    assert.deepEqual([status, body.error], [400, "invalid_dpop_proof"], `proof ${place}`);
  }
});

Deno.test("POST /token takes a DPoP proof once, and lets nobody use one up who is not authenticated", async () => {
  const { token, proof } = await makeOAuthApp();
  const made = await proof(await makeClientKey());
  assert.equal((await token({ client_secret: "wrong" }, made)).status, 401);
  assert.equal((await token({}, made)).status, 200);
  assert.equal((await token({}, made)).body.error, "invalid_dpop_proof");
});

Deno.test("POST /token and /auth give a client no unbound token that must have bound ones", async () => {
  const { token, proof, setPolicy, post, password } = await makeOAuthApp();
  await setPolicy({ requireDpop: true });
  assert.equal((await token()).body.error, "invalid_dpop_proof");
  const auth = await post("/auth", { username: "svc", password });
  assert.deepEqual([auth.status, auth.body.error], [400, "invalid_dpop_proof"]);
  assert.equal((await token({}, await proof(await makeClientKey()))).status, 200);
});

Deno.test("POST /token refuses an assertion beside the name of another client (RFC 7521 §4.2)", async () => {
  const { post, grant, addKey, assertion } = await makeOAuthApp();
  const key = await addKey("k1");
  const ask = async (client_id: string) =>
    (await post("/token", { ...grant, ...await assertion(key), client_id })).status;
  assert.equal(await ask("other"), 401);
  assert.equal(await ask("svc"), 200);
});
