import assert from "node:assert/strict";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from "jose";
import { isDomainError } from "../../lib/base/errors.ts";
import { createProofVerifier, PROOF_WINDOW } from "../../lib/tokens/dpop.ts";
import { ReplayGuard } from "../../lib/tokens/replay_guard.ts";
import { CLOCK_SKEW } from "../../lib/tokens/verifier.ts";
import { failureOf, FakeClock } from "../support.ts";
import { claimTime, makeClientKey, type Members, reasonOf, sign } from "./signed.ts";

const key = await makeClientKey();
const URL_OF_TOKEN = "https://issuer.example/token";
const REQUEST = { method: "POST", url: URL_OF_TOKEN };

function makeVerifier(capacity = 100) {
  const time = new FakeClock();
  const { clock } = time;
  const replay = new ReplayGuard({ capacity, clock });
  const verifier = createProofVerifier({ replay, clock });
  /** A proof that is right but for `claims` and `header`. */
  const proof = (claims: Members = {}, header: Members = {}) => {
    const right = {
      htm: "POST",
      htu: URL_OF_TOKEN,
      iat: claimTime(time),
      jti: crypto.randomUUID(),
    };
    const usual = { typ: "dpop+jwt", alg: "ES256", jwk: key.jwk };
    return sign({ ...usual, ...header }, { ...right, ...claims }, key);
  };
  const verify = async (claims: Members = {}, header: Members = {}) =>
    await verifier.verify(await proof(claims, header), REQUEST);
  const refusal = (claims: Members, header: Members = {}) =>
    reasonOf(() => verify(claims, header), JSON.stringify({ claims, header }));
  return { time, replay, verifier, proof, verify, refusal };
}

Deno.test("ProofVerifier.verify() gives the thumbprint of the proof's key (RFC 9449 §6.1)", async () => {
  const { verify } = makeVerifier();
  const jkt = await calculateJwkThumbprint(key.jwk, "sha256");
  assert.equal((await verify()).jkt, jkt);
  const described = { ...key.jwk, alg: "ES256", use: "sig", kid: "any" };
  assert.equal((await verify({}, { jwk: described, kid: "other" })).jkt, jkt);
});

Deno.test("ProofVerifier.verify() takes RSA-PSS and Ed25519 keys that do not name their algorithm", async () => {
  const { time, verifier } = makeVerifier();
  for (const alg of ["PS256", "EdDSA", "Ed25519"]) {
    const { privateKey, publicKey } = await generateKeyPair(alg);
    const jwk = await exportJWK(publicKey);
    const proof = await new SignJWT({ htm: "POST", htu: URL_OF_TOKEN, jti: "1" })
      .setIssuedAt(claimTime(time)).setProtectedHeader({ typ: "dpop+jwt", alg, jwk })
      .sign(privateKey);
    assert.equal((await verifier.verify(proof, REQUEST)).jkt, await calculateJwkThumbprint(jwk));
  }
});

Deno.test("ProofVerifier.verify() refuses a key with a private member (RFC 9449 §4.3, 7)", async () => {
  const { refusal } = makeVerifier();
  assert.equal(await refusal({}, { jwk: key.privateJwk }), "key");
  assert.equal(await refusal({}, { jwk: { ...key.jwk, k: "AAAA" } }), "key");
});

Deno.test("ProofVerifier.verify() refuses no key, one of another type, and one for another algorithm", async () => {
  const { refusal } = makeVerifier();
  const oct = { kty: "oct", k: "AAAA" };
  for (const jwk of [undefined, null, "jwk", {}, oct, { ...key.jwk, alg: "ES384" }]) {
    assert.equal(await refusal({}, { jwk }), "key");
  }
});

Deno.test("ProofVerifier.verify() refuses none, symmetric and unfitting algorithms (RFC 9449 §4.3, 5)", async () => {
  const { refusal } = makeVerifier();
  for (const alg of ["none", "HS256", "ES256K", undefined]) {
    assert.notEqual(await refusal({}, { alg }), "signature");
  }
  for (const alg of ["ES384", "RS256", "EdDSA"]) assert.equal(await refusal({}, { alg }), "key");
});

Deno.test("ProofVerifier.verify() refuses a signature by another key than the proof's", async () => {
  const { refusal } = makeVerifier();
  const { jwk } = await makeClientKey();
  assert.equal(await refusal({}, { jwk }), "signature");
});

Deno.test("ProofVerifier.verify() refuses another type (RFC 9449 §4.3, 4)", async () => {
  const { refusal } = makeVerifier();
  for (const typ of [undefined, "JWT", "at+jwt", "dpop", ""]) {
    assert.equal(await refusal({}, { typ }), "claims");
  }
});

Deno.test("ProofVerifier.verify() refuses claims that are missing or of another form (RFC 9449 §4.3, 3)", async () => {
  const { time, verify, refusal } = makeVerifier();
  for (const name of ["htm", "htu", "iat", "jti"]) {
    assert.equal(await refusal({ [name]: undefined }), "claims");
    assert.equal(await refusal({ [name]: ["POST"] }), "claims");
  }
  assert.equal(await refusal({ iat: `${claimTime(time)}` }), "claims");
  assert.equal(await refusal({ jti: "" }), "claims");
  assert.equal(await refusal({ jti: "a".repeat(257) }), "claims");
  await verify({ jti: "a".repeat(256) });
});

Deno.test("ProofVerifier.verify() refuses another method (RFC 9449 §4.3, 8)", async () => {
  const { refusal } = makeVerifier();
  for (const htm of ["GET", "post", "POST ", ""]) assert.equal(await refusal({ htm }), "claims");
});

Deno.test("ProofVerifier.verify() takes any spelling of the URL, query and fragment aside (RFC 9449 §4.3, 9)", async () => {
  const { verifier, proof, verify } = makeVerifier();
  for (
    const htu of [
      "HTTPS://ISSUER.example/token",
      "https://issuer.example:443/token",
      "https://issuer.example/token?a=b",
      "https://issuer.example/token#c",
      "https://issuer.example/./a/../token",
    ]
  ) {
    await verify({ htu });
  }
  const query = { method: "POST", url: `${URL_OF_TOKEN}?a=b` };
  await verifier.verify(await proof(), query);
  const root = { method: "POST", url: "http://Issuer.example:80" };
  await verifier.verify(await proof({ htu: "http://issuer.example/" }), root);
});

Deno.test("ProofVerifier.verify() refuses another URL, and what is none (RFC 9449 §4.3, 9)", async () => {
  const { refusal } = makeVerifier();
  for (
    const htu of [
      "https://issuer.example/",
      "https://issuer.example/token/",
      "https://issuer.example/Token",
      "http://issuer.example/token",
      "https://issuer.example:8443/token",
      "https://other.example/token",
      "https://issuer.example.other.example/token",
      "https://user@issuer.example/token",
      "https://issuer.example\\token",
      " https://issuer.example/token",
      "https://issuer.example/to\tken",
      "https:issuer.example/token",
      "/token",
      "",
    ]
  ) {
    assert.equal(await refusal({ htu }), "claims", htu);
  }
});

Deno.test("ProofVerifier.verify() takes iat within the window either way (RFC 9449 §4.3, 11)", async () => {
  const { time, verify, refusal } = makeVerifier();
  for (const seconds of [-PROOF_WINDOW, 0, PROOF_WINDOW]) {
    await verify({ iat: claimTime(time, seconds) });
  }
  assert.equal(await refusal({ iat: claimTime(time, -PROOF_WINDOW - 1) }), "expired");
  assert.equal(await refusal({ iat: claimTime(time, PROOF_WINDOW + 1) }), "not_yet");
});

Deno.test("ProofVerifier.verify() holds nbf and exp where a proof has them", async () => {
  const { time, verify, refusal } = makeVerifier();
  await verify({ nbf: claimTime(time), exp: claimTime(time, 60) });
  assert.equal(await refusal({ exp: claimTime(time, -CLOCK_SKEW) }), "expired");
  assert.equal(await refusal({ nbf: claimTime(time, CLOCK_SKEW + 1) }), "not_yet");
  assert.equal(await refusal({ exp: "later" }), "claims");
});

Deno.test("Proof.remember() uses a proof, once for as long as it is taken", async () => {
  for (const ahead of [-PROOF_WINDOW, 0, PROOF_WINDOW]) {
    const { time, replay, verifier, proof } = makeVerifier();
    const token = await proof({ iat: claimTime(time, ahead) });
    const verify = () => verifier.verify(token, REQUEST);
    const used = await verify();
    await used.remember();
    await used.remember(); // the same request: its login has begun anew
    time.advance(ahead + PROOF_WINDOW);
    const again = await verify();
    assert.equal(await reasonOf(again.remember), "replayed");
    time.advance(1);
    assert.equal(await reasonOf(verify), "expired");
    assert.equal(await replay.use("another", time.seconds + 1), true);
    assert.equal(replay.size, 1);
  }
});

Deno.test("Proof.remember() is what fills the memory, and not verify()", async () => {
  const { replay, verifier, proof } = makeVerifier(1);
  const token = await proof();
  const [one, other] = [
    await verifier.verify(token, REQUEST),
    await verifier.verify(token, REQUEST),
  ];
  assert.equal(replay.size, 0);
  await one.remember();
  assert.equal(await reasonOf(other.remember), "replayed");
  const next = await verifier.verify(await proof(), REQUEST);
  assert.ok(isDomainError(await failureOf(next.remember), "overloaded"));
});

Deno.test("Proof.remember() keeps the jti of one key apart from another's", async () => {
  const { time, verify, verifier } = makeVerifier();
  await (await verify({ jti: "1" })).remember();
  const other = await makeClientKey();
  const claims = { htm: "POST", htu: URL_OF_TOKEN, iat: claimTime(time), jti: "1" };
  const header = { typ: "dpop+jwt", alg: "ES256", jwk: other.jwk };
  await (await verifier.verify(await sign(header, claims, other), REQUEST)).remember();
});
