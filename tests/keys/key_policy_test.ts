import assert from "node:assert/strict";
import fc from "fast-check";
import { ALGORITHM_NAMES } from "../../lib/keys/algorithms.ts";
import {
  decodePolicy,
  encodePolicy,
  type KeyPolicy,
  policyDifferences,
  SHORTEST_PREPUBLISH,
} from "../../lib/keys/key_policy.ts";
import { CLOCK_SKEW, PUBLICATION_DELAY } from "../../lib/rotation/policy.ts";
import { POLICY } from "../support.ts";

const CENTURY = 100 * 365 * 86_400;

/** Any policy that a server may be configured with. */
const policies: fc.Arbitrary<KeyPolicy> = fc.record({
  alg: fc.constantFrom(...ALGORITHM_NAMES),
  prepublish: fc.integer({ min: SHORTEST_PREPUBLISH, max: CENTURY }),
  beyond: fc.nat(CENTURY),
  tokenTtl: fc.integer({ min: 1, max: CENTURY }),
  retention: fc.nat(CENTURY),
  expiredTokens: fc.boolean(),
  staleIfError: fc.nat(CENTURY),
}).map(({ beyond, ...policy }) => ({
  ...policy,
  rotation: Math.min(CENTURY, policy.prepublish + beyond),
  clockSkew: CLOCK_SKEW,
}));

/** A stored policy with some of its members changed. */
function stored(changes: Record<string, unknown>): Uint8Array {
  const whole = JSON.parse(new TextDecoder().decode(encodePolicy(POLICY)));
  return new TextEncoder().encode(JSON.stringify({ ...whole, ...changes }));
}

Deno.test("decodePolicy() gives what encodePolicy() took, for any policy", () => {
  fc.assert(fc.property(policies, (policy) => {
    assert.deepEqual(decodePolicy(encodePolicy(policy)), policy);
  }));
});

Deno.test("encodePolicy() gives the same bytes for the same policy, and others for another", () => {
  fc.assert(fc.property(policies, policies, (one, other) => {
    assert.deepEqual(encodePolicy(one), encodePolicy({ ...one }));
    const isSame = policyDifferences(one, other).length === 0;
    assert.equal(
      new TextDecoder().decode(encodePolicy(one)) === new TextDecoder().decode(encodePolicy(other)),
      isSame,
    );
  }));
});

Deno.test("SHORTEST_PREPUBLISH is as long as caches and other processes may lag", () => {
  assert.equal(SHORTEST_PREPUBLISH, PUBLICATION_DELAY.cache + PUBLICATION_DELAY.poll);
});

Deno.test("decodePolicy() takes the usual time for a policy that says nothing of stale sets", () => {
  const older = stored({ JWKS_STALE_IF_ERROR: undefined });
  assert.deepEqual(decodePolicy(older), { ...POLICY, staleIfError: 3600 });
  assert.equal(decodePolicy(stored({ JWKS_STALE_IF_ERROR: 60 }))!.staleIfError, 60);
});

Deno.test("decodePolicy() gives none for what no server may be configured with", () => {
  assert.deepEqual(decodePolicy(stored({})), POLICY);
  const cases: Record<string, unknown>[] = [
    { SIGNING_ALG: "HS256" },
    { SIGNING_ALG: "toString" },
    { SIGNING_ALG: undefined },
    { KEY_ROTATION: POLICY.prepublish - 1 },
    { KEY_ROTATION: "30d" },
    { KEY_ROTATION: CENTURY + 1 },
    { KEY_PREPUBLISH: SHORTEST_PREPUBLISH - 1 },
    { KEY_PREPUBLISH: 0 },
    { KEY_RETENTION: -1 },
    { KEY_RETENTION: 0.5 },
    { TOKEN_TTL: 0 },
    { TOKEN_TTL: null },
    { EXPIRED_TOKENS: "on" },
    { EXPIRED_TOKENS: undefined },
    { JWKS_STALE_IF_ERROR: -1 },
  ];
  for (const changes of cases) {
    assert.equal(decodePolicy(stored(changes)), undefined, JSON.stringify(changes));
  }
  for (const text of ["", "null", "[]", "5", "{", "[".repeat(10_000)]) {
    assert.equal(decodePolicy(new TextEncoder().encode(text)), undefined, text.slice(0, 9));
  }
  assert.equal(decodePolicy(new Uint8Array([0xff])), undefined);
});

Deno.test("policyDifferences() names each variable that differs, in words, and no other", () => {
  assert.deepEqual(policyDifferences(POLICY, { ...POLICY }), []);
  const other: KeyPolicy = {
    alg: "EdDSA",
    rotation: 7 * 86_400,
    prepublish: 7200,
    tokenTtl: 60,
    clockSkew: POLICY.clockSkew,
    retention: 0,
    expiredTokens: false,
    staleIfError: 0,
  };
  const all = [
    "SIGNING_ALG is RS256 here and EdDSA there",
    "KEY_ROTATION is 30d here and 7d there",
    "KEY_PREPUBLISH is 1d here and 2h there",
    "KEY_RETENTION is 7d here and 0s there",
    "TOKEN_TTL is 1h here and 1m there",
    "EXPIRED_TOKENS is on here and off there",
    "JWKS_STALE_IF_ERROR is 1h here and 0s there",
  ];
  assert.deepEqual(policyDifferences(POLICY, other), all);
  assert.deepEqual(policyDifferences(POLICY, other, new Set(["TOKEN_TTL", "PORT"])), [all[4]]);
  assert.deepEqual(policyDifferences(POLICY, other, new Set()), []);
});
