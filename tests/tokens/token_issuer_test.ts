import assert from "node:assert/strict";
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  importJWK,
  type JSONWebKeySet,
  jwtVerify,
} from "jose";
import { numericDate } from "../../lib/base/clock.ts";
import type { KeyRing } from "../../lib/keys/key_ring.ts";
import { TokenIssuer } from "../../lib/tokens/token_issuer.ts";
import { FakeClock, ISSUER, makeRing, POLICY, type RingOptions } from "../support.ts";

const AUDIENCE = "https://api.example";

async function makeIssuer(options: RingOptions & { tokenTtl?: number } = {}) {
  const { ring, time } = await makeRing(options);
  const { tokenTtl = POLICY.tokenTtl } = options;
  const issuer = new TokenIssuer({
    ring,
    clock: time.clock,
    issuer: ISSUER,
    audience: AUDIENCE,
    tokenTtl,
    clockSkew: POLICY.clockSkew,
  });
  return { issuer, ring, time };
}

function publishedBy(ring: KeyRing): JSONWebKeySet {
  return JSON.parse(ring.published()!.text);
}

/** Verifies a token as a service would that only knows the published set. */
function verify(token: string, ring: KeyRing, time: FakeClock) {
  return jwtVerify(token, createLocalJWKSet(publishedBy(ring)), {
    issuer: ISSUER,
    audience: AUDIENCE,
    algorithms: ["RS256"],
    currentDate: new Date(time.now),
  });
}

Deno.test("TokenIssuer.issue() makes a JWT with exactly the documented claims", async () => {
  const { issuer, ring, time } = await makeIssuer();
  const { token, expiresIn } = await issuer.issue("alice");
  const { payload, protectedHeader } = await verify(token, ring, time);
  const { jti, ...claims } = payload;
  const iat = numericDate(time.now);
  assert.deepEqual(claims, {
    iss: ISSUER,
    sub: "alice",
    aud: AUDIENCE,
    client_id: "alice",
    iat,
    exp: iat + POLICY.tokenTtl,
  });
  assert.match(jti!, /^[0-9a-f-]{36}$/);
  assert.equal(expiresIn, POLICY.tokenTtl);
  const { kid } = await ring.signer();
  assert.deepEqual(protectedHeader, { alg: "RS256", kid, typ: "JWT" });
});

Deno.test("TokenIssuer.issue() gives every token a jti of its own", async () => {
  const { issuer } = await makeIssuer();
  const ids = new Set<unknown>();
  for (let count = 0; count < 20; count++) {
    ids.add(decodeJwt((await issuer.issue("alice")).token).jti);
  }
  assert.equal(ids.size, 20);
});

Deno.test("TokenIssuer.issue() makes a token that verifies for its whole life, and no longer", async () => {
  const { issuer, ring, time } = await makeIssuer();
  time.advance(POLICY.rotation - 1); // the last second in which the first key signs
  const { token, expiresIn } = await issuer.issue("alice");
  time.advance(expiresIn - 1);
  assert.equal((await verify(token, ring, time)).payload.sub, "alice");
  time.advance(1);
  await assert.rejects(verify(token, ring, time), { code: "ERR_JWT_EXPIRED" });
});

Deno.test("TokenIssuer.issue() never lets a token outlive its key, made under a shorter life", async () => {
  const { issuer, ring, time } = await makeIssuer({ tokenTtl: 10 * POLICY.tokenTtl });
  const last = POLICY.rotation - 1;
  for (const moment of [0, last - 20_000, last - 3600, last - 1, last]) {
    time.now = new FakeClock().now + moment * 1000;
    const { token, expiresIn } = await issuer.issue("alice");
    const { exp, iat } = decodeJwt(token);
    const signer = await ring.signer();
    assert.equal(decodeProtectedHeader(token).kid, signer.kid);
    assert.ok(exp! <= signer.exp - POLICY.clockSkew);
    assert.equal(expiresIn, exp! - iat!);
    assert.ok(expiresIn > 0);
  }
});

Deno.test("TokenIssuer.issueExpired() signs a token that is expired with a key nobody publishes", async () => {
  const { issuer, ring, time } = await makeIssuer();
  const { token, expiresIn } = await issuer.issueExpired("alice");
  const { kid } = decodeProtectedHeader(token);
  const { exp, iat, sub } = decodeJwt(token);
  assert.equal(expiresIn, 0);
  assert.equal(sub, "alice");
  assert.ok(exp! < numericDate(time.now) - POLICY.clockSkew);
  assert.equal(exp! - iat!, POLICY.tokenTtl);
  assert.ok(publishedBy(ring).keys.every((key) => key.kid !== kid));
  await assert.rejects(verify(token, ring, time), { code: "ERR_JWKS_NO_MATCHING_KEY" });
});

Deno.test("TokenIssuer.issueExpired() signs truly: only the time is wrong", async () => {
  const { issuer, ring, time } = await makeIssuer();
  const { token } = await issuer.issueExpired("alice");
  const { kid } = decodeProtectedHeader(token);
  const { publicJwk } = ring.keys.find((key) => key.kid === kid)!;
  const key = await importJWK(publicJwk, "RS256");
  const options = { issuer: ISSUER, audience: AUDIENCE };
  const earlier = new Date((decodeJwt(token).exp! - 1) * 1000);
  const { payload } = await jwtVerify(token, key, { ...options, currentDate: earlier });
  assert.equal(payload.sub, "alice");
  const now = new Date(time.now);
  await assert.rejects(jwtVerify(token, key, { ...options, currentDate: now }), {
    code: "ERR_JWT_EXPIRED",
  });
});

Deno.test("TokenIssuer.issueExpired() is refused when expired tokens are switched off", async () => {
  const { issuer } = await makeIssuer({ policy: { expiredTokens: false } });
  await assert.rejects(issuer.issueExpired("alice"), { code: "invalid_request" });
});

Deno.test("TokenIssuer.issue() gives no token that would be over at once", async () => {
  const { ring, time } = await makeRing();
  const signer = await ring.signer();
  const exp = time.seconds + POLICY.clockSkew;
  const ending = { signer: () => Promise.resolve({ ...signer, exp }) } as unknown as KeyRing;
  const { clock } = time;
  const issuer = new TokenIssuer({ ...POLICY, ring: ending, clock, issuer: ISSUER, audience: "a" });
  await assert.rejects(issuer.issue("alice"), { code: "overloaded" });
});

Deno.test("TokenIssuer.issue() makes an access token (RFC 9068) of what it is granted", async () => {
  const { issuer, ring, time } = await makeIssuer();
  const { token, expiresIn } = await issuer.issue("alice", {
    typ: "at+jwt",
    audience: "https://orders.example",
    scope: "read write",
    claims: { tenant: "blue", sub: "mallory", client_id: "mallory", exp: 9 },
    tokenTtl: 60,
    jkt: "thumbprint",
  });
  assert.equal(expiresIn, 60);
  assert.equal(decodeProtectedHeader(token).typ, "at+jwt");
  const { jti, ...claims } = decodeJwt(token);
  assert.match(String(jti), /^[0-9a-f-]{36}$/);
  assert.deepEqual(claims, {
    iss: ISSUER,
    sub: "alice",
    aud: "https://orders.example",
    client_id: "alice",
    iat: time.seconds,
    exp: time.seconds + 60,
    scope: "read write",
    tenant: "blue",
    cnf: { jkt: "thumbprint" },
  });
  await jwtVerify(token, createLocalJWKSet(publishedBy(ring)), { currentDate: new Date(time.now) });
});

Deno.test("TokenIssuer.issue() gives no token a longer life than the keys' schedule allows", async () => {
  const { issuer } = await makeIssuer();
  const { expiresIn } = await issuer.issue("alice", { tokenTtl: POLICY.tokenTtl + 1 });
  assert.equal(expiresIn, POLICY.tokenTtl);
});
