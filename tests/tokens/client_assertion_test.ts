import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { isDomainError } from "../../lib/base/errors.ts";
import { ASSERTION_LIFE, createAssertionVerifier } from "../../lib/tokens/client_assertion.ts";
import { ReplayGuard } from "../../lib/tokens/replay_guard.ts";
import { CLOCK_SKEW } from "../../lib/tokens/verifier.ts";
import { failureOf, FakeClock, ISSUER } from "../support.ts";
import { base64url, claimTime, makeClientKey, type Members, reasonOf, sign } from "./signed.ts";

const key = await makeClientKey("one");
const keys = [key.verification];
const ENDPOINT = `${ISSUER}/token`;

function makeVerifier(capacity = 100) {
  const time = new FakeClock();
  const { clock } = time;
  const replay = new ReplayGuard({ capacity, clock });
  const verifier = createAssertionVerifier({ audiences: [ISSUER, ENDPOINT], replay, clock });
  /** An assertion that is right but for `claims` and `header`. */
  const assertion = (claims: Members = {}, header: Members = {}) => {
    const right = {
      iss: "reporting",
      sub: "reporting",
      aud: ISSUER,
      iat: claimTime(time),
      exp: claimTime(time, 60),
      jti: crypto.randomUUID(),
    };
    return sign({ alg: "ES256", kid: "one", ...header }, { ...right, ...claims }, key);
  };
  const verify = async (claims: Members = {}, header: Members = {}) =>
    await verifier.verify(await assertion(claims, header), keys, "reporting");
  const refusal = (claims: Members, header: Members = {}) =>
    reasonOf(() => verify(claims, header), JSON.stringify({ claims, header }));
  return { time, replay, verifier, assertion, verify, refusal };
}

Deno.test("AssertionVerifier.verify() takes an assertion for the issuer or the token endpoint", async () => {
  const { verifier, assertion, verify } = makeVerifier();
  assert.equal(verifier.clientOf(await assertion()), "reporting");
  await verify();
  await verify({ aud: ENDPOINT });
  await verify({ iat: undefined });
});

Deno.test("AssertionVerifier.verify() takes no typ, JWT and client-authentication+jwt, and no other", async () => {
  const { verify, refusal } = makeVerifier();
  for (const typ of ["JWT", "client-authentication+jwt"]) await verify({}, { typ });
  for (const typ of ["at+jwt", "dpop+jwt", ""]) assert.equal(await refusal({}, { typ }), "claims");
});

Deno.test("AssertionVerifier.verify() refuses another audience, and any array (RFC 7523 §3, 3)", async () => {
  const { refusal } = makeVerifier();
  for (
    const aud of [
      "https://other.example",
      `${ISSUER}/`,
      ENDPOINT.toUpperCase(),
      "",
      [ISSUER],
      [ISSUER, "https://other.example"],
      [],
      null,
      undefined,
      { 0: ISSUER },
    ]
  ) {
    assert.equal(await refusal({ aud }), "claims", JSON.stringify(aud));
  }
});

Deno.test("AssertionVerifier refuses when iss and sub are not both the client (RFC 7523 §3, 1 and 2)", async () => {
  const { verifier, assertion, refusal } = makeVerifier();
  for (
    const claims of [
      { sub: undefined },
      { iss: undefined },
      { iss: undefined, sub: undefined },
      { sub: "other" },
      { iss: "other" },
      { iss: ["reporting"], sub: ["reporting"] },
      { iss: "", sub: "" },
      { iss: "a:b", sub: "a:b" },
      { iss: "a".repeat(65), sub: "a".repeat(65) },
    ]
  ) {
    assert.equal(await refusal(claims), "claims");
    const token = await assertion(claims);
    assert.equal(await reasonOf(() => verifier.clientOf(token)), "claims");
  }
  assert.equal(await refusal({ iss: "other", sub: "other" }), "claims");
  assert.equal(await refusal({ iss: "Reporting", sub: "Reporting" }), "claims");
});

Deno.test("AssertionVerifier.verify() refuses exp that is missing, past, or too far ahead (RFC 7523 §3, 4)", async () => {
  const { time, verify, refusal } = makeVerifier();
  assert.equal(await refusal({ exp: undefined }), "claims");
  assert.equal(await refusal({ exp: claimTime(time, -300) }), "expired");
  assert.equal(await refusal({ exp: claimTime(time, -CLOCK_SKEW) }), "expired");
  await verify({ exp: claimTime(time, 1 - CLOCK_SKEW) });
  const furthest = ASSERTION_LIFE + CLOCK_SKEW;
  await verify({ exp: claimTime(time, furthest) });
  assert.equal(await refusal({ exp: claimTime(time, furthest + 1) }), "claims");
});

Deno.test("AssertionVerifier.verify() refuses nbf and iat in the future (RFC 7523 §3, 5 and 6)", async () => {
  const { time, verify, refusal } = makeVerifier();
  for (const name of ["nbf", "iat"]) {
    await verify({ [name]: claimTime(time, CLOCK_SKEW) });
    assert.equal(await refusal({ [name]: claimTime(time, CLOCK_SKEW + 1) }), "not_yet");
    assert.equal(await refusal({ [name]: `${claimTime(time)}` }), "claims");
  }
});

Deno.test("AssertionVerifier.verify() refuses jti that is missing, too long or no string", async () => {
  const { verify, refusal } = makeVerifier();
  for (const jti of [undefined, "", 1, ["a"], "a".repeat(257)]) {
    assert.equal(await refusal({ jti }), "claims");
  }
  await verify({ jti: "a".repeat(256) });
});

Deno.test("AssertionVerifier.verify() takes a jti once for as long as its assertion is taken", async () => {
  const { time, verifier, assertion } = makeVerifier();
  const token = await assertion({ exp: claimTime(time, 60) });
  const again = () => verifier.verify(token, keys, "reporting");
  await again();
  assert.equal(await reasonOf(again), "replayed");
  time.advance(60 + CLOCK_SKEW - 1);
  assert.equal(await reasonOf(again), "replayed");
  time.advance(1);
  assert.equal(await reasonOf(again), "expired");
});

Deno.test("AssertionVerifier.verify() keeps the jti of one client apart from another's", async () => {
  const { verifier, assertion, verify } = makeVerifier();
  await verify({ jti: "1" });
  await verifier.verify(await assertion({ iss: "b", sub: "b", jti: "1" }), keys, "b");
});

Deno.test("AssertionVerifier.verify() remembers nothing of an assertion that it refuses", async () => {
  const { replay, verifier, assertion, verify, refusal } = makeVerifier();
  const stranger = await makeClientKey("one");
  const token = await assertion({ jti: "1" });
  const forged = () => verifier.verify(token, [stranger.verification], "reporting");
  assert.equal(await reasonOf(forged), "signature");
  assert.equal(await refusal({ jti: "1", aud: "x" }), "claims");
  assert.equal(await refusal({ jti: "1", exp: 1 }), "expired");
  assert.equal(await reasonOf(() => verifier.verify(token, keys, "other")), "claims");
  assert.equal(replay.size, 0);
  await verify({ jti: "1" });
});

Deno.test("AssertionVerifier.verify() is overloaded when no more can be remembered", async () => {
  const { verify } = makeVerifier(1);
  await verify();
  assert.ok(isDomainError(await failureOf(verify), "overloaded"));
});

Deno.test("AssertionVerifier refuses none, symmetric algorithms, and one that is not the key's", async () => {
  const { verifier, assertion, refusal } = makeVerifier();
  for (const alg of ["none", "HS256", "PS256"]) {
    assert.equal(await refusal({}, { alg }), "algorithm");
  }
  const [, payload] = (await assertion()).split(".");
  const input = `${base64url('{"alg":"HS256","kid":"one"}')}.${payload}`;
  const mac = createHmac("sha256", JSON.stringify(key.jwk)).update(input).digest("base64url");
  const symmetric = `${input}.${mac}`;
  assert.equal(await reasonOf(() => verifier.clientOf(symmetric)), "algorithm");
  assert.equal(await reasonOf(() => verifier.verify(symmetric, keys, "reporting")), "algorithm");
});

Deno.test("AssertionVerifier.verify() never uses a key that the assertion brings along", async () => {
  const { verifier, assertion } = makeVerifier();
  const known = await makeClientKey("one");
  const token = await assertion({}, { jwk: key.jwk });
  const work = () => verifier.verify(token, [known.verification], "reporting");
  assert.equal(await reasonOf(work), "signature");
  assert.equal(await reasonOf(() => verifier.verify(token, [], "reporting")), "unknown_key");
});

Deno.test("AssertionVerifier.verify() gives that of the client's keys which verified", async () => {
  const { verifier, assertion } = makeVerifier();
  const other = { ...(await makeClientKey("one")).verification, note: "other" };
  const right = { ...key.verification, note: "right" };
  const nameless = await assertion({}, { kid: undefined });
  assert.equal((await verifier.verify(nameless, [other, right], "reporting")).note, "right");
});
