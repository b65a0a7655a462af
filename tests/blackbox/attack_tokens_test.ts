/** Tokens that were tampered with (RFC 8725): shown as tokens, as assertions and as proofs. */

import assert from "node:assert/strict";
import { calculateJwkThumbprint, importJWK, type JWK } from "jose";
import { base64url, type ClientKey, type Members, sign } from "../tokens/signed.ts";
import type { Answer } from "./client.ts";
import { Server, UNLIMITED } from "./harness.ts";
import { openKeys } from "./keys.ts";
import { OAuthClient, seconds } from "./oauth_client.ts";
import { assertSafe } from "./safe_answer.ts";
import {
  EXTENSIONS,
  KEY_HEADERS,
  mac,
  otherPublicJwk,
  parts,
  signByCurve,
  stranger,
  textsOf,
  TRAVERSAL,
  ZERO_SIGNATURE,
} from "./tampering.ts";

const SECRET = "a secret for tests only";
const env = { ...UNLIMITED, SIGNING_ALG: "ES256", NOT_MY_KEY: SECRET };
const server = await Server.start({ env });
Deno.test.afterAll(() => server[Symbol.asyncDispose]());
const client = await OAuthClient.make(server);

/** The server's own keys, as whoever has the secret can use them. */
const opened = await openKeys(server.directory, SECRET);
const published: JWK[] = (await server.jwks()).json.keys;
const active = await ownKey(published[0]!.kid!);

async function ownKey(kid: string): Promise<{ privateKey: CryptoKey; kid: string }> {
  const jwk = opened.find((key) => key.kid === kid)!;
  return { privateKey: await importJWK(jwk, "ES256") as CryptoKey, kid };
}

async function introspect(token: string): Promise<Answer> {
  const answer = await client.post("/introspect", { token, ...client.secret });
  assertSafe(answer);
  return answer;
}

Deno.test("a token of the server's own key is active, but for whatever is wrong with it", async () => {
  const { username, issuer } = client;
  const good = { iss: issuer, sub: username, aud: issuer, client_id: username, iat: seconds() };
  const claims = { ...good, exp: seconds() + 600, jti: "1" };
  const header = { alg: "ES256", kid: active.kid, typ: "at+jwt" };
  const own = (changed: Members = {}, head: Members | string = {}) =>
    sign(
      typeof head === "string" ? head : { ...header, ...head },
      { ...claims, ...changed },
      active,
    );
  const valid = await own();
  assert.equal((await introspect(valid)).json.active, true);

  const expired = await ownKey(
    opened.find(({ kid }) => !published.some((key) => key.kid === kid))!.kid!,
  );
  const wrong: Record<string, string | Promise<string>> = {
    "none": parts(valid, ([, payload]) => [base64url('{"alg":"none"}'), payload, ""]),
    "no signature": parts(valid, ([head, payload]) => [head, payload, ""]),
    "two parts": parts(valid, ([head, payload]) => [head, payload]),
    "four parts": `${valid}.AAAA`,
    "zeros for a signature": parts(valid, ([head, payload]) => [head, payload, ZERO_SIGNATURE]),
    "padding": `${valid}==`,
    "white space": `${valid}\n`,
    "the JSON serialization": JSON.stringify({ payload: valid.split(".")[1], signatures: [] }),
    "a JWT within a JWT": sign({ ...header, cty: "JWT" }, valid, active),
    "another typ": own({}, { typ: "dpop+jwt" }),
    "the typ of an assertion": own({}, { typ: "client-authentication+jwt" }),
    "no typ": own({}, { typ: undefined }),
    "another algorithm": own({}, { alg: "RS256" }),
    "an algorithm of another curve": own({}, { alg: "ES384" }),
    "an algorithm in small letters": own({}, { alg: "es256" }),
    "alg twice, none last": own(
      {},
      `{"alg":"ES256","kid":"${active.kid}","typ":"JWT","alg":"none"}`,
    ),
    "another issuer": own({ iss: "https://other.example" }),
    "a list of issuers": own({ iss: [issuer] }),
    "no issuer": own({ iss: undefined }),
    "no end": own({ exp: undefined }),
    "an end as text": own({ exp: String(claims.exp) }),
    "an end that is past": own({ exp: seconds() - 1 }),
    "a beginning to come": own({ nbf: seconds() + 60 }),
    "an unknown client": own({ sub: "nobody" }),
    "a list of clients": own({ sub: [username] }),
    "the key for expired tokens": sign({ ...header, kid: expired.kid }, claims, expired),
    "the next key's name": own({}, { kid: published[1]!.kid }),
    "another's signature": sign(header, claims, stranger),
  };
  for (const [what, head] of Object.entries({ ...EXTENSIONS })) wrong[what] = own({}, head);
  for (const [what, head] of Object.entries(KEY_HEADERS)) {
    wrong[what] = sign({ ...header, ...head }, claims, stranger);
    wrong[`${what}, without a kid`] = sign(
      { ...header, ...head, kid: undefined },
      claims,
      stranger,
    );
  }
  for (const kid of [...TRAVERSAL, 1, null, [active.kid], { toString: active.kid }]) {
    wrong[`the kid ${JSON.stringify(kid)}`] = own({}, { kid });
  }
  for (const [place, text] of (await textsOf(published[0]!)).entries()) {
    wrong[`a MAC under the public key, ${place}`] = mac({ ...header, alg: "HS256" }, claims, text);
  }
  for (const [what, token] of Object.entries(wrong)) {
    const { status, json } = await introspect(await token);
    assert.deepEqual([status, json], [200, { active: false }], what);
  }
  assert.equal((await introspect(`${valid}${"A".repeat(8192)}`)).status, 413);
  assert.equal((await introspect(valid)).json.active, true, "and it still is");
});

Deno.test("an assertion that was tampered with lets nobody in (RFC 8725, RFC 7523 §3)", async () => {
  const now = seconds();
  const { username, issuer, key } = client;
  const header = { alg: "ES256", kid: "k1" };
  const claims = { iss: username, sub: username, aud: issuer, exp: now + 60 };
  const own = (changed: Members = {}, head: Members | string = {}, by: ClientKey = key) =>
    sign(
      typeof head === "string" ? head : { ...header, ...head },
      { ...claims, jti: crypto.randomUUID(), ...changed },
      by,
    );
  const send = async (assertion: string) => {
    const kind = await client.assertion();
    const answer = await client.tokenBy({ ...kind, client_assertion: assertion });
    assertSafe(answer);
    return answer;
  };
  assert.equal((await send(await own())).status, 200);

  const valid = await own();
  const token = (await client.token()).json.access_token;
  const wrong: Record<string, string | Promise<string>> = {
    "a token of the server's": token,
    "a DPoP proof": (await client.proof({ ...claims })).dpop!,
    "no signature": parts(valid, ([head, payload]) => [head, payload, ""]),
    "zeros for a signature": parts(valid, ([head, payload]) => [head, payload, ZERO_SIGNATURE]),
    "none with a signature": parts(valid, ([, ...rest]) => [base64url('{"alg":"none"}'), ...rest]),
    "a JWT within a JWT": sign({ ...header, cty: "JWT" }, valid, key),
    "the JSON serialization": JSON.stringify({ payload: valid.split(".")[1], signatures: [] }),
    "the typ of an access token": own({}, { typ: "at+jwt" }),
    "the typ of a proof": own({}, { typ: "dpop+jwt" }),
    "another curve": signByCurve(header, { ...claims, jti: "1" }),
    "another curve, named": signByCurve({ ...header, alg: "ES384" }, { ...claims, jti: "2" }),
    "alg twice, none last": own({}, '{"alg":"ES256","kid":"k1","alg":"none"}'),
    "kid twice, another last": own({}, '{"alg":"ES256","kid":"k1","kid":"k2"}'),
    "a list of one audience": own({ aud: [issuer] }),
    "an audience that goes on": own({ aud: `${issuer}/token/` }),
    "an audience in capitals": own({ aud: issuer.toUpperCase() }),
    "no audience": own({ aud: undefined }),
    "an object for an audience": own({ aud: { toString: issuer } }),
    "a list of issuers": own({ iss: [username] }),
    "another spelling of the client": own({ iss: username.toUpperCase(), sub: username }),
    "a jti that is a number": own({ jti: 1 }),
    "a jti of 300 characters": own({ jti: "x".repeat(300) }),
    "an end as text": own({ exp: String(now + 60) }),
    "an end that is no number": sign(
      header,
      `{"iss":"${username}","sub":"${username}","aud":"${issuer}","jti":"3","exp":1e999}`,
      key,
    ),
    "a payload that is a list": sign(header, JSON.stringify([claims]), key),
    "prototype's claims": sign(
      header,
      JSON.stringify({ jti: "4" }).replace("{", `{"__proto__":${JSON.stringify(claims)},`),
      key,
    ),
  };
  for (const [what, head] of Object.entries(EXTENSIONS)) wrong[what] = own({}, head);
  for (const [what, head] of Object.entries(KEY_HEADERS)) {
    wrong[what] = own({}, head, stranger);
    wrong[`${what}, without a kid`] = own({}, { ...head, kid: undefined }, stranger);
  }
  for (const kid of [...TRAVERSAL, "x".repeat(4000), 1, null, ["k1"]]) {
    wrong[`the kid ${JSON.stringify(kid)}`.slice(0, 40)] = own({}, { kid });
  }
  for (const [place, text] of (await textsOf(key.jwk)).entries()) {
    wrong[`a MAC under the public key, ${place}`] = mac({ ...header, alg: "HS256" }, {
      ...claims,
      jti: "5",
    }, text);
  }
  for (const [what, assertion] of Object.entries(wrong)) {
    const { status, json } = await send(await assertion);
    assert.deepEqual([status, json.error], [401, "invalid_client"], what);
  }
  assert.equal((await send(valid)).status, 200, "nothing of all that used it up");
});

Deno.test("a proof that was tampered with binds no token (RFC 8725, RFC 9449 §4.3)", async () => {
  const { kty, crv, x, y } = client.key.jwk;
  const jwk = { kty, crv, x, y };
  const now = { htm: "POST", htu: `${client.issuer}/token`, iat: seconds() };
  const own = async (changed: Members = {}, header: Members = {}) =>
    (await client.proof(changed, header)).dpop!;
  const valid = await own();
  const header = { typ: "dpop+jwt", alg: "ES256", jwk };
  const symmetric = { kty: "oct", k: base64url("secret") };
  const wrong: Record<string, string | Promise<string>> = {
    "no signature": parts(valid, ([head, payload]) => [head, payload, ""]),
    "zeros for a signature": parts(valid, ([head, payload]) => [head, payload, ZERO_SIGNATURE]),
    "a MAC under a key that it brings": mac({ ...header, alg: "HS256", jwk: symmetric }, {
      ...now,
      jti: "1",
    }, "secret"),
    "a MAC under the public key": mac(
      { ...header, alg: "HS256" },
      { ...now, jti: "2" },
      JSON.stringify(jwk),
    ),
    "no key": own({}, { jwk: undefined }),
    "a key as text": own({}, { jwk: JSON.stringify(jwk) }),
    "a list of keys": own({}, { jwk: [jwk] }),
    "a key off its curve": own({}, { jwk: { ...jwk, y: x } }),
    "a point at infinity": own({}, {
      jwk: { ...jwk, x: base64url(new Uint8Array(32)), y: base64url(new Uint8Array(32)) },
    }),
    "a key of another curve": own({}, { jwk: otherPublicJwk }),
    "another curve's signature": signByCurve({ ...header, jwk: otherPublicJwk }, {
      ...now,
      jti: "3",
    }),
    "a key for encrypting": own({}, { jwk: { ...jwk, use: "enc" } }),
    "a proof for a resource server": own({ htm: "GET", htu: "https://api.example/" }),
    "an assertion": (await client.assertion()).client_assertion!,
    "a token of the server's": (await client.token()).json.access_token,
    "another scheme": own({ htu: `https://localhost:${server.port}/token` }),
    "a path that is mended": own({ htu: `${client.issuer}/x/../token\\` }),
    "a user in the URL": own({ htu: now.htu.replace("//", "//a@") }),
    "a method in small letters": own({ htm: "post" }),
    "a list of methods": own({ htm: ["POST"] }),
    "a time as text": own({ iat: String(now.iat) }),
    "a jti that is empty": own({ jti: "" }),
  };
  for (const [what, head] of Object.entries(EXTENSIONS)) wrong[what] = own({}, head);
  for (const [what, proof] of Object.entries(wrong)) {
    const answer = await client.token({}, { dpop: await proof });
    assertSafe(answer);
    assert.deepEqual([answer.status, answer.json.error], [400, "invalid_dpop_proof"], what);
  }
  const bound = await client.token({}, { dpop: valid });
  const claims = JSON.parse(
    atob(bound.json.access_token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")),
  );
  assert.equal(claims.cnf.jkt, await calculateJwkThumbprint(jwk as JWK), "and nothing used it up");
});
