import assert from "node:assert/strict";
import { generateKeyPairSync, generatePrimeSync } from "node:crypto";
import type { JWK } from "jose";
import { DomainError } from "../../lib/base/errors.ts";
import { validateRsaKey } from "../../lib/keys/rsa_key.ts";
import {
  randomOdd,
  randomRsa,
  type RsaNumbers,
  rsaNumbers,
  toBase64url,
  toJwk,
  toNumbers,
} from "./rsa_numbers.ts";

const real = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
  .export({ format: "jwk" }) as JWK;
const realNumbers = toNumbers(real);
/** Consistent but for its primes, which are checked last. */
const sound = randomRsa(1024, 1024);

/** Asserts a refusal in good time that quotes no number of the key, and gives its message. */
function refused(jwk: JWK): string {
  const start = performance.now();
  let error: unknown;
  try {
    validateRsaKey(jwk);
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(performance.now() - start < 1000);
  assert.ok(error instanceof DomainError, Deno.inspect(error));
  assert.equal(error.code, "key_refused");
  const shown = Deno.inspect(error, { depth: 10, strAbbreviateSize: 100_000 });
  for (const value of Object.values(jwk)) {
    if (typeof value === "string" && value.length > 8) assert.ok(!shown.includes(value));
  }
  return error.message;
}

function refusedWith(changes: Partial<RsaNumbers>): string {
  return refused(toJwk({ ...sound, ...changes }));
}

function without(jwk: JWK, ...names: string[]): JWK {
  return Object.fromEntries(Object.entries(jwk).filter(([name]) => !names.includes(name)));
}

function greaterFirst(p: bigint, q: bigint): [bigint, bigint] {
  return p > q ? [p, q] : [q, p];
}

Deno.test("validateRsaKey() gives a key of the library as it is, and nothing else of its JWK", () => {
  assert.deepEqual(validateRsaKey(real), real);
  assert.deepEqual(validateRsaKey({ ...real, kid: "k", use: "sig", x5t: "t" }), real);
  const padded = { ...real, n: `AAAA${real.n}`, d: `AAAAAAAA${real.d}` };
  assert.deepEqual(validateRsaKey(padded), real);
});

Deno.test("validateRsaKey() works out the factors from n, e and d", () => {
  const long = generatePrimeSync(1028, { bigint: true });
  const short = generatePrimeSync(1020, { bigint: true });
  for (const [p, q] of [greaterFirst(realNumbers.p, realNumbers.q), [long, short]] as const) {
    const usable = [3n, 5n, 17n, 257n, 65_537n, 2n ** 33n - 9n, 2n ** 33n - 1n].filter((e) =>
      rsaNumbers(p, q, e)
    );
    assert.ok(usable.length > 1);
    for (const e of usable) {
      const whole = rsaNumbers(p, q, e)!;
      const { n, d } = whole;
      assert.deepEqual(validateRsaKey(toJwk({ n, e, d })), toJwk(whole));
      assert.deepEqual(validateRsaKey(toJwk(whole)), toJwk(whole));
    }
  }
});

Deno.test("validateRsaKey() accepts the shorter private exponent, modulo lcm(p - 1, q - 1)", () => {
  const { n, e, d, p, q } = realNumbers;
  for (const exponent of [d % ((p - 1n) * (q - 1n) / 2n), d % ((p - 1n) * (q - 1n))]) {
    const whole = validateRsaKey(toJwk({ n, e, d: exponent }));
    assert.deepEqual(new Set([whole.p, whole.q]), new Set([real.p, real.q]));
    assert.equal(validateRsaKey(toJwk({ ...realNumbers, d: exponent })).d, toBase64url(exponent));
  }
});

Deno.test("validateRsaKey() refuses factors that are not prime", () => {
  assert.match(refused(toJwk(sound)), /its p or q is not a prime/);
  const { n, e, d } = sound;
  assert.match(refused(toJwk({ n, e, d })), /its p or q is not a prime/);
  const { p } = realNumbers;
  const half = Array.from({ length: 100 }, () => rsaNumbers(p, randomOdd(1024))).find(Boolean)!;
  assert.match(refused(toJwk(half)), /its p or q is not a prime/);
});

Deno.test("validateRsaKey() refuses a key with any number that is not the key's", () => {
  for (const name of ["n", "d", "p", "q", "dp", "dq", "qi"] as const) {
    for (const change of [2n, -2n]) {
      const message = refusedWith({ [name]: sound[name] + change });
      assert.match(message, /not belong|not the product/, name);
    }
  }
  assert.match(refusedWith({ e: 65_539n }), /not belong/);
  assert.match(refused(toJwk({ n: sound.n, e: 65_539n, d: sound.d })), /not belong/);
  const { n, d } = randomRsa(1024, 1024);
  assert.match(refused(toJwk({ n, e: sound.e, d: sound.d % n })), /not belong/);
  assert.match(refused(toJwk({ n: sound.n, e: sound.e, d: d % sound.n })), /not belong/);
});

Deno.test("validateRsaKey() refuses a modulus that is too short, too long or even", () => {
  assert.match(refused(toJwk(randomRsa(512, 512))), /RSA of 1024 bits is too weak/);
  assert.match(refused(toJwk(randomRsa(1020, 1020))), /RSA of 2040 bits is too weak/);
  assert.match(refusedWith({ n: randomOdd(4097) }), /its n is of more than 4096 bits/);
  assert.match(refusedWith({ n: randomOdd(8192) }), /its n is of more than 4096 bits/);
  assert.match(refusedWith({ n: sound.n + 1n }), /modulus is even/);
  for (const n of [0n, 1n]) assert.match(refusedWith({ n }), /too weak/);
});

Deno.test("validateRsaKey() refuses exponents outside their bounds", () => {
  for (const e of [0n, 1n, 2n, 65_536n, 2n ** 33n + 1n, 2n ** 256n + 1n]) {
    assert.match(refusedWith({ e }), /public exponent is not an odd number from 3/);
  }
  for (const d of [0n, 1n, 3n, randomOdd(1024)]) {
    assert.match(refusedWith({ d }), /private exponent is too short/);
    assert.match(refused(toJwk({ n: sound.n, e: 3n, d })), /private exponent is too short/);
  }
  assert.match(refusedWith({ d: sound.n }), /private exponent is not below its modulus/);
});

Deno.test("validateRsaKey() refuses primes of unequal length, whether given or worked out", () => {
  const pairs = [[1792, 256], [256, 1792], [1020, 1029], [2040, 8], [1984, 64]] as const;
  for (const [pBits, qBits] of pairs) {
    const { n, e, d, ...rest } = randomRsa(pBits, qBits);
    assert.match(refused(toJwk({ n, e, d, ...rest })), /unequal length/);
  }
  const { n, e, d } = randomRsa(256, 1792);
  assert.match(refused(toJwk({ n, e, d })), /unequal length/);
  assert.match(refusedWith({ p: 1n, q: sound.n }), /unequal length/);
  assert.match(refusedWith({ p: sound.n, q: 1n }), /unequal length/);
});

Deno.test("validateRsaKey() refuses primes that are close to each other", () => {
  const close = closeTo(sound.p, 923);
  assert.match(refused(toJwk(close)), /too close/);
  const { n, e, d } = close;
  assert.match(refused(toJwk({ n, e, d })), /too close/);
  const { p } = sound;
  assert.match(refusedWith({ n: p * p, p, q: p, d: p * p - 2n }), /too close/);
  assert.match(refused(toJwk(closeTo(sound.p, 940))), /not a prime/);
});

/** A key whose primes differ in their last bits only. */
function closeTo(p: bigint, bits: number): RsaNumbers {
  for (;;) {
    const found = rsaNumbers(p, BigInt.asUintN(1024, p ^ randomOdd(bits)) | 1n);
    if (found !== undefined) return found;
  }
}

Deno.test("validateRsaKey() names what is lacking when some of the factors' members are there", () => {
  assert.match(refused(without(real, "qi")), /it lacks qi /);
  assert.match(refused(without(real, "p", "dq")), /it lacks p, dq /);
  assert.match(refused(without(real, "q", "dp", "dq", "qi")), /it lacks q, dp, dq, qi /);
  for (const name of ["n", "e", "d"]) {
    assert.match(refused(without(real, name)), new RegExp(`it lacks ${name}$`));
  }
});

Deno.test("validateRsaKey() refuses more than two primes", () => {
  assert.match(refused({ ...real, oth: [] }), /more than two primes/);
});

Deno.test("validateRsaKey() refuses numbers that are not base64url", () => {
  for (const name of ["n", "e", "d", "p", "q", "dp", "dq", "qi"] as const) {
    for (const value of ["", "=", "AQAB=", "A Q", "ä", "+/+/", "AAAAA", null, 5, [], {}]) {
      const message = refused({ ...real, [name]: value } as JWK);
      assert.match(message, new RegExp(`its ${name} is not a number in base64url`));
    }
  }
});

Deno.test("validateRsaKey() refuses numbers of 48 KB before it reckons with them", () => {
  for (const name of ["n", "e", "d", "p", "q", "dp", "dq", "qi"] as const) {
    for (const digit of ["_", "x", "B"]) {
      const message = refused({ ...real, [name]: digit.repeat(64 * 1024) });
      assert.match(message, new RegExp(`its ${name} is of more than 4096 bits`));
    }
  }
  assert.match(refused({ ...real, n: "A".repeat(64 * 1024) }), /RSA of 0 bits/);
});

Deno.test("validateRsaKey() ends for any numbers", () => {
  const values = [0n, 1n, 2n, 3n, sound.n - 1n, sound.n, 2n ** 4096n - 1n, randomOdd(4096)];
  for (const name of ["n", "e", "d", "p", "q", "dp", "dq", "qi"] as const) {
    for (const value of values) {
      if (value !== sound[name]) refusedWith({ [name]: value });
    }
  }
  for (let round = 0; round < 20; round++) {
    refused(toJwk({ n: randomOdd(4096), e: 3n + 2n * BigInt(round), d: randomOdd(4095) }));
  }
});
