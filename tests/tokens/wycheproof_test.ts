import assert from "node:assert/strict";
import { importVerificationKey } from "../../lib/tokens/verification_key.ts";
import { VerificationError } from "../../lib/tokens/verification_error.ts";
import { verifySignature } from "../../lib/tokens/verifier.ts";
import { findVectors, MODULE, readVectors, type Vector } from "./wycheproof.ts";

type Jwk = Record<string, unknown>;

/** Vectors that are valid and refused all the same, by the reason. */
const STRICTER: Record<string, { reason: string; because: string }> = {
  "rfc7520 346": { reason: "algorithm", because: "the key is for PS256, the JWS is PS384" },
  "rfc7520WithKeyOps 350": {
    reason: "algorithm",
    because: "the key is for PS256, the JWS is PS384",
  },
  "rfc7520 347": { reason: "key", because: "the key's alg, ES521, does not exist" },
  "rfc7520WithKeyOps 351": { reason: "key", because: "the key's alg, ES521, does not exist" },
};

/** How many JWS with a public key there are at least: with fewer, the vectors were not read. */
const LEAST = { valid: 30, invalid: 300 };

const directory = await findVectors();

/** Said in the name: what is written before the first test runs, `deno test --quiet` keeps. */
const note = directory === undefined ? ` (skipped: needs go, and the module ${MODULE})` : "";

/** "taken", or why not. */
async function outcome(jws: string, jwks: readonly Jwk[]): Promise<string> {
  try {
    const keys = await Promise.all(jwks.map((jwk) => importVerificationKey(jwk)));
    await verifySignature(jws, keys);
    return "taken";
  } catch (error) {
    if (error instanceof VerificationError) return error.reason;
    throw error;
  }
}

async function assertOutcome(group: string, vector: Vector, jwks: readonly Jwk[]): Promise<void> {
  const name = `${group} ${vector.tcId}`;
  const found = await outcome(vector.jws, jwks);
  const what = `${name}, ${vector.comment}: ${found}`;
  if (vector.result === "invalid") assert.notEqual(found, "taken", what);
  else assert.equal(found, STRICTER[name]?.reason ?? "taken", what);
}

Deno.test({
  name: `verifySignature() takes of Wycheproof's JWS what is valid, and nothing that is not${note}`,
  ignore: directory === undefined,
  async fn() {
    const groups = await readVectors<Jwk>(directory!, "json_web_signature_test.json");
    const asymmetric = groups.filter((group) => group.public !== undefined);
    const met = new Set<string>();
    for (const { comment, public: jwk, tests } of asymmetric) {
      for (const vector of tests) {
        await assertOutcome(comment, vector, [jwk!]);
        met.add(`${comment} ${vector.tcId}`);
      }
    }
    assert.deepEqual(Object.keys(STRICTER).filter((name) => !met.has(name)), []);
    const all = asymmetric.flatMap(({ tests }) => tests);
    for (const [result, least] of Object.entries(LEAST)) {
      const count = all.filter((vector) => vector.result === result).length;
      assert.ok(count >= least, `${count} ${result}`);
    }
  },
});

Deno.test({
  name: `importVerificationKey() refuses Wycheproof's private and symmetric keys${note}`,
  ignore: directory === undefined,
  async fn() {
    const groups = await readVectors<Jwk>(directory!, "json_web_signature_test.json");
    for (const { private: jwk, tests } of groups) {
      assert.equal(await outcome(tests[0]!.jws, [jwk]), "key");
    }
  },
});

Deno.test({
  name:
    `importVerificationKey() takes of Wycheproof's JWK sets what is valid, and nothing that is not${note}`,
  ignore: directory === undefined,
  async fn() {
    const groups = await readVectors<{ keys: Jwk[] }>(directory!, "json_web_key_test.json");
    let taken = 0;
    for (const { comment, public: set, private: own, tests } of groups) {
      for (const vector of tests) {
        // Sets of symmetric keys, valid or not, are refused for that.
        if (set === undefined) assert.equal(await outcome(vector.jws, own.keys), "key", comment);
        else await assertOutcome(comment, vector, set.keys);
        if (set !== undefined && vector.result === "valid") taken++;
      }
    }
    assert.ok(taken >= 1 && groups.length >= 20);
  },
});
