/** What `POST /token` refuses, rule by rule, each under the section that it stands in. */

import assert from "node:assert/strict";
import { makeClientKey, type Members } from "../tokens/signed.ts";
import type { Answer } from "./client.ts";
import { Server, UNLIMITED } from "./harness.ts";
import { OAuthClient, seconds } from "./oauth_client.ts";

const API = "https://orders.example";
const server = await Server.start({ env: UNLIMITED });
Deno.test.afterAll(() => server[Symbol.asyncDispose]());
const client = await OAuthClient.make(
  server,
  ...["--scope", "read", "--scope", "write", "--audience", API],
);
const stranger = await makeClientKey("k1");
const grant = { grant_type: "client_credentials" };
const whole = new URLSearchParams({ ...grant, ...client.secret }).toString();

/** What breaks each rule. */
type Rules = Record<string, () => Promise<Answer>>;

function asserted(claims: Members, header: Members = {}, key = client.key) {
  return async () => client.tokenBy(await client.assertion(claims, header, key));
}

function proven(claims: Members, header: Members = {}) {
  return async () => client.token({}, await client.proof(claims, header));
}

/** Every test makes its times when it runs, not when it is listed. */
function at(make: (now: number) => Members, use: (claims: Members) => () => Promise<Answer>) {
  return () => use(make(seconds()))();
}

const requests: Rules = {
  "RFC 6749 §4.4.2: without a grant_type": () => client.post("/token", client.secret),
  "RFC 6749 §3.2: a parameter twice": () => client.post("/token", `${whole}&scope=a&scope=b`),
  "RFC 6749 §2.3: two ways to authenticate": () => client.token({}, client.basic),
  "RFC 6749 §2.3: a password and an assertion": async () => client.token(await client.assertion()),
  "RFC 6749 §2.3.1: credentials in the query": () =>
    client.post(`/token?client_id=${client.username}&client_secret=x`, grant),
  "RFC 7521 §4.2: an assertion of an unknown type": async () =>
    client.tokenBy(await client.assertion(), { client_assertion_type: "urn:x" }),
};

const clients: Rules = {
  "RFC 6749 §5.2: no authentication": () => client.post("/token", grant),
  "RFC 6749 §5.2: a wrong password": () => client.token({ client_secret: "wrong" }),
  "RFC 6749 §5.2: an unknown client": () => client.token({ client_id: "nobody-of-this-name" }),
  "RFC 7523 §3 (1): an assertion without iss": asserted({ iss: undefined }),
  "RFC 7523 §3 (2): an assertion without sub": asserted({ sub: undefined }),
  "RFC 7523 §3 (2): an assertion of two clients": asserted({ iss: "other" }),
  "RFC 7523 §3 (3): an assertion for another server": asserted({ aud: "https://other.example" }),
  "RFC 7523 §3 (3): an assertion for several servers": asserted({ aud: [client.issuer, API] }),
  "RFC 7523 §3 (4): an assertion without exp": asserted({ exp: undefined }),
  "RFC 7523 §3 (4): an assertion that ended five minutes ago": at(
    (now) => ({ exp: now - 300 }),
    asserted,
  ),
  "RFC 7523 §3 (4): an assertion that lives for an hour": at(
    (now) => ({ exp: now + 3600 }),
    asserted,
  ),
  "RFC 7523 §3 (5): an assertion that is not yet valid": at(
    (now) => ({ nbf: now + 120 }),
    asserted,
  ),
  "RFC 7523 §3 (7): an assertion without jti": asserted({ jti: undefined }),
  "RFC 7523 §3 (7): an assertion twice": async () => {
    const assertion = await client.assertion();
    assert.equal((await client.tokenBy(assertion)).status, 200);
    return await client.tokenBy(assertion);
  },
  "RFC 7523 §3 (9): an assertion of another's key": asserted({}, {}, stranger),
  "RFC 7523 §3 (9): an assertion of the key in its header": asserted(
    {},
    { jwk: stranger.jwk },
    stranger,
  ),
  "RFC 8725 §3.1: an assertion without a signature": asserted({}, { alg: "none" }),
  "RFC 8725 §3.1: an assertion by a symmetric algorithm": asserted({}, { alg: "HS256" }),
  "RFC 8725 §3.1: an assertion by another algorithm": asserted({}, { alg: "RS256" }),
  "RFC 7521 §4.2: an assertion beside another client's name": async () =>
    client.tokenBy(await client.assertion(), { client_id: "other" }),
};

const targets: Rules = {
  "RFC 8707 §2: a resource of another client": () =>
    client.token({ resource: "https://other.example" }),
  "RFC 8707 §2: a resource that is no URI": () => client.token({ resource: "orders" }),
  "RFC 8707 §2: an audience of another client": () => client.token({ audience: "other" }),
};

const scopes: Rules = {
  "RFC 6749 §3.3: more scopes than the client has": () => client.token({ scope: "read admin" }),
  "RFC 6749 §3.3: a scope in other letters": () => client.token({ scope: "READ" }),
};

const grants: Rules = {
  "RFC 6749 §5.2: another grant": () => client.token({ grant_type: "authorization_code" }),
};

const proofs: Rules = {
  "RFC 9449 §4.3 (1): two proofs": () => client.token({}, { dpop: "a.b.c, a.b.c" }),
  "RFC 9449 §4.3 (2): no JWT": () => client.token({}, { dpop: "proof" }),
  "RFC 9449 §4.3 (3): a proof without jti": proven({ jti: undefined }),
  "RFC 9449 §4.3 (4): another typ": proven({}, { typ: "JWT" }),
  "RFC 9449 §4.3 (5): no signature": proven({}, { alg: "none" }),
  "RFC 9449 §4.3 (5): a symmetric algorithm": proven({}, { alg: "HS256" }),
  "RFC 9449 §4.3 (6): the signature of another key": proven({}, { jwk: stranger.jwk }),
  "RFC 9449 §4.3 (7): a private key in it": proven({}, { jwk: client.key.privateJwk }),
  "RFC 9449 §4.3 (8): another method": proven({ htm: "GET" }),
  "RFC 9449 §4.3 (9): another URL": proven({ htu: `${client.issuer}/auth` }),
  "RFC 9449 §4.3 (11): a proof of two minutes ago": at((now) => ({ iat: now - 120 }), proven),
  "RFC 9449 §4.3 (11): a proof of the future": at((now) => ({ iat: now + 120 }), proven),
  "RFC 7519 §4.1.4: a proof that has ended": at((now) => ({ exp: now - 120 }), proven),
  "RFC 7519 §4.1.5: a proof that is not yet valid": at((now) => ({ nbf: now + 120 }), proven),
  "RFC 9449 §11.1: a proof twice": async () => {
    const proof = await client.proof();
    assert.equal((await client.token({}, proof)).status, 200);
    return await client.token({}, proof);
  },
};

for (
  const [status, error, rules] of [
    [400, "invalid_request", requests],
    [401, "invalid_client", clients],
    [400, "invalid_target", targets],
    [400, "invalid_scope", scopes],
    [400, "unsupported_grant_type", grants],
    [400, "invalid_dpop_proof", proofs],
  ] as const
) {
  for (const [rule, ask] of Object.entries(rules)) {
    Deno.test(`/token answers ${error}, ${rule}`, async () => {
      const { headers, ...answer } = await ask();
      assert.deepEqual([answer.status, answer.json.error], [status, error], answer.text);
      assert.deepEqual(Object.keys(answer.json), ["error", "error_description"]);
      assert.equal(headers.get("cache-control"), "no-store");
      assert.equal(headers.get("www-authenticate"), null, "no Authorization was sent");
    });
  }
}

Deno.test("/token answers a wrong password in Authorization with WWW-Authenticate (RFC 6749 §5.2)", async () => {
  const { status, headers } = await client.post("/token", grant, {
    authorization: `Basic ${btoa(`${client.username}:wrong`)}`,
  });
  assert.deepEqual([status, headers.get("www-authenticate")], [401, 'Basic realm="jwks-server"']);
});
