import assert from "node:assert/strict";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { Accounts } from "../../lib/accounts/accounts.ts";
import { createHandler, type HandlerParts } from "../../lib/server/handler.ts";
import { openLimits } from "../../lib/server/limits.ts";
import { cheapHasher, makeRing } from "../support.ts";
import { Description } from "../http/described_answer.ts";
import { makeClientKey, sign } from "../tokens/signed.ts";
import { load, problemsOf, type Variables } from "./loaded.ts";

const INSIDE = "http://jwks-server:8080";
const OUTSIDE = "http://localhost:8080";
const ON = { TEST_TOKENS: "on", ISSUER: "from-request", SIGNING_ALG: "ES256" };
const KEYS = "/.well-known/jwks.json";
const METADATA = "/.well-known/oauth-authorization-server";

/** A server as it is configured, with one client, and ways to ask it by any URL. */
async function makeServer(variables: Variables = ON) {
  const config = load({ ...variables, RATE_LIMIT: "100", RATE_WINDOW: "1m" });
  const made = await makeRing({ policy: config.policy });
  const { storage, clock, log, ring, time } = made;
  const limits = await openLimits(config, log);
  const accounts = new Accounts({ storage, hasher: cheapHasher(), clock, log });
  const handler = createHandler(config, {
    database: made as unknown as HandlerParts["database"],
    ring,
    accounts,
    limits,
    issuer: "http://localhost:1",
    findHindrance: () => Promise.resolve(undefined),
  });
  const info = { remoteAddr: { hostname: "192.0.2.1" } } as Deno.ServeHandlerInfo<Deno.NetAddr>;
  const ask = async (url: string, init: RequestInit = {}) =>
    await handler(new Request(url, init), info);
  const password = await accounts.register({ username: "svc", email: "a@b.example" }, "192.0.2.1");
  const authorization = `Basic ${btoa(`svc:${password}`)}`;
  const post = async (
    url: string,
    form: Record<string, string>,
    headers: Record<string, string> = { authorization },
  ) => {
    const answer = await ask(url, { method: "POST", headers, body: new URLSearchParams(form) });
    return { status: answer.status, ...await answer.json() };
  };
  const grant = { grant_type: "client_credentials" };
  const metadata = async (base: string) => await (await ask(base + METADATA)).json();
  const set = async (url: string): Promise<JSONWebKeySet> => await (await ask(url)).json();
  /** Verifies a token as a service would that knows the server by this URL. */
  const verify = async (token: string, base: string) => {
    const { issuer, jwks_uri } = await metadata(base);
    const options = { issuer, audience: base, currentDate: new Date(time.now) };
    return await jwtVerify(token, createLocalJWKSet(await set(jwks_uri)), options);
  };
  return { ...made, ask, post, grant, metadata, verify };
}

Deno.test("a token verifies under the URL at which it was fetched, inside and outside alike", async () => {
  const { post, grant, verify, ask } = await makeServer();
  for (const [base, other] of [[INSIDE, OUTSIDE], [OUTSIDE, INSIDE]] as const) {
    const { access_token } = await post(`${base}/token`, grant);
    const { payload } = await verify(access_token, base);
    assert.deepEqual([payload.iss, payload.aud], [base, base]);
    await assert.rejects(verify(access_token, other), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED" });
    const auth = await post(`${base}/auth`, {});
    assert.equal((await verify(auth.token, base)).payload.iss, base);
    assert.equal((await post(`${base}/introspect`, { token: auth.token })).active, true);
    assert.equal((await post(`${other}/introspect`, { token: auth.token })).active, false);
  }
  const [inside, outside] = [await ask(INSIDE + KEYS), await ask(OUTSIDE + KEYS)];
  assert.equal(await inside.text(), await outside.text(), "they are the same keys");
  assert.match(inside.headers.get("cache-control")!, /^public, /);
});

Deno.test("assertions and proofs are for the URL at which they arrive", async () => {
  const { post, grant, storage, time } = await makeServer();
  const key = await makeClientKey("k1");
  const { id } = (await storage.findUser("svc"))!;
  const value = JSON.stringify({ ...key.jwk, alg: "ES256", use: "sig" });
  await storage.addCredential(id, { kid: "k1", value, at: time.now });
  const assertionFor = async (aud: string) => ({
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: await sign({ alg: "ES256", kid: "k1" }, {
      ...{ iss: "svc", sub: "svc", aud, jti: crypto.randomUUID(), exp: time.seconds + 60 },
    }, key),
  });
  const { kty, crv, x, y } = key.jwk;
  const proofFor = async (htu: string) => ({
    dpop: await sign({ typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } }, {
      ...{ htm: "POST", htu, iat: time.seconds, jti: crypto.randomUUID() },
    }, key),
  });
  const ask = async (aud: string, htu: string) =>
    await post(`${INSIDE}/token`, { ...grant, ...await assertionFor(aud) }, await proofFor(htu));
  assert.equal((await ask(INSIDE, `${INSIDE}/token`)).token_type, "DPoP");
  assert.equal((await ask(`${INSIDE}/token`, `${INSIDE}/token`)).status, 200);
  assert.equal((await ask(OUTSIDE, `${INSIDE}/token`)).error, "invalid_client");
  assert.equal((await ask(INSIDE, `${OUTSIDE}/token`)).error, "invalid_dpop_proof");
});

Deno.test("metadata that depends on the Host is kept by no shared cache", async () => {
  const { ask, metadata } = await makeServer();
  const { headers } = await ask(INSIDE + METADATA);
  assert.match(headers.get("cache-control")!, /^private, /);
  assert.equal(headers.get("vary"), "Host, X-Forwarded-Host, X-Forwarded-Proto");
  const { issuer, token_endpoint, introspection_endpoint, jwks_uri } = await metadata(INSIDE);
  const below = ["/token", "/introspect", KEYS].map((path) => INSIDE + path);
  assert.deepEqual([issuer, token_endpoint, introspection_endpoint, jwks_uri], [INSIDE, ...below]);
  const etag = headers.get("etag")!;
  const asked = { headers: { "if-none-match": etag } };
  const same = await ask(INSIDE + METADATA, asked);
  assert.deepEqual([same.status, same.headers.get("vary") !== null], [304, true]);
  assert.equal((await ask(OUTSIDE + METADATA, asked)).status, 200);
});

Deno.test("what is published is answered as the description of such a server tells", async () => {
  const { ask } = await makeServer();
  const description = new Description(await (await ask(`${INSIDE}/openapi.json`)).json());
  for (const path of [KEYS, METADATA, "/openapi.json"]) {
    const answer = await ask(INSIDE + path);
    const { status, headers } = answer;
    const answered = { status, headers, text: await answer.text() };
    assert.equal(description.fault({ method: "GET", path }, answered), undefined, path);
  }
});

Deno.test("AUDIENCE and JWKS_URI stay as they are configured", async () => {
  const own = { AUDIENCE: "orders", JWKS_URI: "https://cdn.example/keys.json" };
  const { post, grant, metadata } = await makeServer({ ...ON, ...own });
  const { access_token } = await post(`${INSIDE}/token`, grant);
  assert.equal(JSON.parse(atob(access_token.split(".")[1])).aud, "orders");
  assert.equal((await metadata(INSIDE)).jwks_uri, own.JWKS_URI);
});

Deno.test("a client has one rate limit, by however many names it asks", async () => {
  const { post, grant } = await makeServer();
  const statuses: number[] = [];
  for (let tries = 0; tries < 101; tries++) {
    const refused = await post(`http://name-${tries % 40}/token`, { ...grant, scope: "none" });
    statuses.push(refused.status);
  }
  assert.deepEqual([statuses.indexOf(429), statuses.lastIndexOf(400)], [100, 99]);
});

Deno.test("test tokens name the issuer of the request, and their foreign key is the same for all", async () => {
  const { post, grant } = await makeServer();
  const ask = async (base: string) =>
    (await post(`${base}/token`, { ...grant, defect: "unknown-kid" })).access_token.split(".");
  const [inside, outside] = [await ask(INSIDE), await ask(OUTSIDE)];
  assert.equal(inside[0], outside[0], "the same header, the kid in it");
  assert.equal(JSON.parse(atob(inside[1])).iss, INSIDE);
});

Deno.test("an issuer that is configured is everybody's, whatever a request says", async () => {
  const { ask, metadata, post, grant } = await makeServer({
    TEST_TOKENS: "on",
    SIGNING_ALG: "ES256",
  });
  assert.equal((await metadata(INSIDE)).issuer, "http://localhost:1");
  const { headers } = await ask(INSIDE + METADATA);
  assert.deepEqual([headers.get("cache-control"), headers.get("vary")], [
    "public, max-age=300",
    null,
  ]);
  const { access_token } = await post(`${INSIDE}/token`, grant);
  assert.equal(JSON.parse(atob(access_token.split(".")[1])).iss, "http://localhost:1");
});

Deno.test("a server gives no test tokens unless TEST_TOKENS is on", async () => {
  for (const variables of [{}, { TEST_TOKENS: "off" }]) {
    const { post, grant } = await makeServer({ ...variables, SIGNING_ALG: "ES256" });
    const refused = await post(`${OUTSIDE}/token`, { ...grant, defect: "expired" });
    assert.deepEqual([refused.status, refused.error_description], [
      400,
      "Test tokens are switched off",
    ]);
    const { access_token } = await post(`${OUTSIDE}/token`, { ...grant, claims: '{"sub":"root"}' });
    assert.equal(JSON.parse(atob(access_token.split(".")[1])).sub, "svc");
  }
});

Deno.test("loadConfig() takes ISSUER=from-request with test tokens alone", () => {
  const config = load(ON);
  assert.deepEqual([config.issuer, config.issuerFromRequest], [undefined, true]);
  assert.equal(load({ ISSUER: "https://a.example" }).issuerFromRequest, false);
  const { TEST_TOKENS: _, ...off } = ON;
  for (const variables of [off, { ...off, TEST_TOKENS: "off" }]) {
    const [problem, ...more] = problemsOf(variables);
    assert.match(
      problem!,
      /^ISSUER is from-request; allowed is a URL, and that only with TEST_TOKENS=on/,
    );
    assert.deepEqual(more, []);
  }
});
