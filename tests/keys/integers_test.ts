import assert from "node:assert/strict";
import { generatePrimeSync } from "node:crypto";
import fc from "fast-check";
import {
  bitLength,
  greatestCommonDivisor,
  inverse,
  isProbablePrime,
  squareRoot,
} from "../../lib/keys/integers.ts";

const positive = fc.bigInt({ min: 1n, max: 2n ** 300n });

Deno.test("squareRoot() gives the greatest root that is not too great", () => {
  fc.assert(fc.property(positive, (value) => {
    const root = squareRoot(value);
    assert.ok(root * root <= value && (root + 1n) ** 2n > value);
    assert.equal(squareRoot(value * value), value);
  }));
});

Deno.test("inverse() gives 1 when it is multiplied, or nothing when there is none", () => {
  fc.assert(fc.property(positive, positive, (value, modulus) => {
    fc.pre(modulus > 1n);
    const found = inverse(value, modulus);
    assert.equal(found === undefined, greatestCommonDivisor(value, modulus) !== 1n);
    if (found === undefined) return;
    assert.ok(found >= 0n && found < modulus);
    assert.equal(found * value % modulus, 1n);
  }));
});

Deno.test("bitLength() counts the bits", () => {
  for (
    const [value, bits] of [[0n, 0], [1n, 1], [255n, 8], [256n, 9], [2n ** 999n, 1000]] as const
  ) {
    assert.equal(bitLength(value), bits);
  }
});

Deno.test("isProbablePrime() knows every odd number below 2000 and a great prime", () => {
  // A composite passes one round of five with a probability below 1/4: judged twelve times.
  const judged = (value: bigint) => Array.from({ length: 12 }).every(() => isProbablePrime(value));
  for (let value = 5; value < 2000; value += 2) {
    const isPrime = Array.from({ length: 45 }, (_, at) => at + 2)
      .every((divisor) => divisor >= value || value % divisor !== 0);
    assert.equal(judged(BigInt(value)), isPrime, String(value));
  }
  const [p, q] = [
    generatePrimeSync(512, { bigint: true }),
    generatePrimeSync(512, { bigint: true }),
  ];
  assert.ok(isProbablePrime(p));
  assert.ok(!isProbablePrime(p * q));
});
