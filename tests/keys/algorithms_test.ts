import assert from "node:assert/strict";
import {
  ALGORITHM_NAMES,
  algorithmsFor,
  isSigningAlgorithm,
  PRIVATE_MEMBERS,
  privateMembers,
  publicMembers,
  SIGNING_ALGORITHMS,
} from "../../lib/keys/algorithms.ts";

Deno.test("algorithmsFor() finds every algorithm by the key that it asks for", () => {
  for (const alg of ALGORITHM_NAMES) {
    const { kty, crv } = SIGNING_ALGORITHMS[alg];
    assert.ok(algorithmsFor({ kty, crv, alg }).includes(alg), alg);
  }
});

Deno.test("algorithmsFor() gives the most usual algorithm first, and the one of a curve", () => {
  assert.equal(algorithmsFor({ kty: "RSA" })[0], "RS256");
  assert.equal(algorithmsFor({ kty: "RSA" }).length, 6);
  assert.deepEqual(algorithmsFor({ kty: "EC", crv: "P-256" }), ["ES256"]);
  assert.deepEqual(algorithmsFor({ kty: "EC", crv: "P-384" }), ["ES384"]);
  assert.deepEqual(algorithmsFor({ kty: "EC", crv: "P-521" }), ["ES512"]);
  assert.deepEqual(algorithmsFor({ kty: "OKP", crv: "Ed25519" }), ["EdDSA"]);
});

Deno.test("algorithmsFor() leaves an AKP key the one algorithm that it names", () => {
  assert.deepEqual(algorithmsFor({ kty: "AKP", alg: "ML-DSA-65" }), ["ML-DSA-65"]);
  assert.deepEqual(algorithmsFor({ kty: "AKP" }), []);
  assert.deepEqual(algorithmsFor({ kty: "AKP", alg: "ES256" }), []);
});

Deno.test("algorithmsFor() gives none for a type or curve that is not known", () => {
  for (const kty of [undefined, "oct", "rsa", "toString"]) {
    assert.deepEqual(algorithmsFor({ kty, crv: "P-256" }), []);
  }
  for (const crv of [undefined, "secp256k1", "X25519", "Ed25519", "p-256"]) {
    assert.deepEqual(algorithmsFor({ kty: "EC", crv }), []);
  }
});

Deno.test("isSigningAlgorithm() knows the 13 algorithms and nothing that resembles one", () => {
  assert.equal(ALGORITHM_NAMES.filter(isSigningAlgorithm).length, 13);
  for (const alg of ["HS256", "none", "RS1", "toString", "", undefined, ["ES256"], 5]) {
    assert.equal(isSigningAlgorithm(alg), false, String(alg));
  }
});

Deno.test("no member of a key is both public and private", () => {
  for (const kty of new Set(ALGORITHM_NAMES.map((alg) => SIGNING_ALGORITHMS[alg].kty))) {
    for (const name of publicMembers(kty)) assert.ok(!PRIVATE_MEMBERS.includes(name), name);
    for (const name of privateMembers(kty)) assert.ok(PRIVATE_MEMBERS.includes(name), name);
  }
  const known = ["d", "dp", "dq", "k", "oth", "p", "priv", "q", "qi"];
  assert.deepEqual(PRIVATE_MEMBERS.toSorted(), known);
});
