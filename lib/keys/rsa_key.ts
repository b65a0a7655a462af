/**
 * Private RSA keys, checked as numbers before a cryptographic library sees them: libraries sign
 * for ever with a first prime much shorter than the second, and some end the process on a prime
 * of 0 or 1, or on one that is not prime.
 */

import { Buffer } from "node:buffer";
import type { JWK } from "jose";
import type { DomainError } from "../base/errors.ts";
import { RSA_BITS } from "./algorithms.ts";
import {
  bitLength,
  greatestCommonDivisor,
  inverse,
  isEven,
  isProbablePrime,
  squareRoot,
} from "./integers.ts";
import { refused } from "./key_refusal.ts";

/** The members that make signing faster: all of them are there, or none (RFC 7518 §6.3.2). */
const FACTOR_MEMBERS = ["p", "q", "dp", "dq", "qi"] as const;

/** One more than the greatest public exponent that Deno's WebCrypto takes; FIPS allows 2^256. */
const EXPONENT_END = 1n << 33n;

/**
 * How much longer one prime may be than the other, in bits. FIPS 186-5 appendix A.1.1 wants them
 * equal, and the ways to make keys keep within 2; each bit doubles the time of Deno's signatures.
 */
const GREATEST_IMBALANCE = 8;

/** The primes must differ in these upper bits of half the modulus' length, or more (FIPS 186-5 appendix A.1.3). */
const DISTANCE_BITS = 100;

type MemberName = "n" | "e" | "d" | (typeof FACTOR_MEMBERS)[number];

/**
 * Gives the whole key in its canonical form: every member of RFC 7518 §6.3 but `oth`, and no other;
 * no zero bytes in front. What the factors make up is computed when the key has none of it.
 *
 * @throws {DomainError} `key_refused` when the numbers do not make up a key (RFC 8017 §3.2), or one
 * that is weak (FIPS 186-5 appendix A.1). It takes well below a second, whatever it is given.
 */
export function validateRsaKey(jwk: JWK): JWK {
  if (jwk.oth !== undefined) throw refused("it has more than two primes, which few can read");
  const [n, e, d] = [readNumber(jwk, "n"), readNumber(jwk, "e"), readNumber(jwk, "d")];
  assertModulus(n);
  assertExponents(n, e, d);
  const [p, q] = factorsOf(jwk, n, e, d);
  assertFactors(n, p, q);
  const whole = complete({ n, e, d, p, q });
  for (const name of ["dp", "dq", "qi"] as const) {
    if (jwk[name] !== undefined && readNumber(jwk, name) !== whole[name]) {
      throw refused(`its ${name} does not belong to its other numbers`);
    }
  }
  if (!isProbablePrime(p) || !isProbablePrime(q)) throw refused("its p or q is not a prime");
  const members = Object.entries(whole).map(([name, value]) => [name, writeNumber(value)]);
  return { kty: "RSA", ...Object.fromEntries(members) };
}

/** Adds what follows from the factors. */
function complete(key: Record<"n" | "e" | "d" | "p" | "q", bigint>): Record<MemberName, bigint> {
  const { e, d, p, q } = key;
  if ((e * d) % (p - 1n) !== 1n || (e * d) % (q - 1n) !== 1n) throw notTogether();
  const qi = inverse(q, p);
  if (qi === undefined) throw refused("its p and q share a divisor");
  return { ...key, dp: d % (p - 1n), dq: d % (q - 1n), qi };
}

/** Reads a number of at most `RSA_BITS.greatest` bits; longer ones never become a number. */
function readNumber(jwk: JWK, name: MemberName): bigint {
  const text: unknown = jwk[name];
  if (text === undefined) throw refused(`it lacks ${name}`);
  if (typeof text !== "string" || !/^[\w-]+$/.test(text) || text.length % 4 === 1) {
    throw refused(`its ${name} is not a number in base64url`);
  }
  const hex = Buffer.from(text, "base64url").toString("hex").replace(/^0+/, "");
  const { greatest } = RSA_BITS;
  if (hex.length * 4 > greatest) {
    throw refused(`its ${name} is of more than ${greatest} bits, the longest RSA that is read`);
  }
  return BigInt(`0x0${hex}`);
}

/** Base64urlUInt (RFC 7518 §2). */
function writeNumber(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex").toString("base64url");
}

function assertModulus(n: bigint): void {
  const bits = bitLength(n);
  if (bits < RSA_BITS.least) {
    throw refused(`RSA of ${bits} bits is too weak; ${RSA_BITS.least} is the least`);
  }
  if (isEven(n)) throw refused("its modulus is even");
}

function assertExponents(n: bigint, e: bigint, d: bigint): void {
  if (e < 3n || e >= EXPONENT_END || isEven(e)) {
    throw refused("its public exponent is not an odd number from 3 to 2^33 - 1");
  }
  if (d >= n) throw refused("its private exponent is not below its modulus");
  // A short one follows from the public key (Wiener's attack; FIPS 186-5 appendix A.1.1).
  if (bitLength(d) <= bitLength(n) / 2) throw refused("its private exponent is too short");
}

function factorsOf(jwk: JWK, n: bigint, e: bigint, d: bigint): [p: bigint, q: bigint] {
  const lacking = FACTOR_MEMBERS.filter((name) => jwk[name] === undefined);
  if (lacking.length === 0) return [readNumber(jwk, "p"), readNumber(jwk, "q")];
  if (lacking.length === FACTOR_MEMBERS.length) return recoverFactors(n, e, d);
  throw refused(
    `it lacks ${lacking.join(", ")} (RFC 7518 §6.3.2)`,
    `give all of ${FACTOR_MEMBERS.join(", ")}, or none: they are worked out from n, e and d`,
  );
}

function assertFactors(n: bigint, p: bigint, q: bigint): void {
  if (p * q !== n) throw refused("its modulus is not the product of p and q");
  if (Math.abs(bitLength(p) - bitLength(q)) > GREATEST_IMBALANCE) {
    throw refused("its primes are of very unequal length");
  }
  const distance = p > q ? p - q : q - p;
  if (distance <= 1n << BigInt((bitLength(n) >> 1) - DISTANCE_BITS)) {
    throw refused("its primes are too close to each other, so that anyone can find them");
  }
}

/**
 * Finds p and q, p the greater, without trying: NIST SP 800-56B Rev. 2, appendix C.2, whose names
 * these are. With `a` = k(p - 1)(q - 1) for a small k, `b` is p + q.
 *
 * @throws {DomainError} when there are none.
 */
function recoverFactors(n: bigint, e: bigint, d: bigint): [p: bigint, q: bigint] {
  const multiple = d * e - 1n;
  const a = multiple * greatestCommonDivisor(n - 1n, multiple);
  const m = a / n;
  const r = a % n;
  const b = (n - r) / (m + 1n) + 1n;
  const square = b * b - 4n * n;
  if (square <= 0n) throw notTogether();
  const root = squareRoot(square);
  const [p, q] = [(b + root) / 2n, (b - root) / 2n];
  if (p * q !== n) throw notTogether();
  return [p, q];
}

function notTogether(): DomainError {
  return refused("its private exponent does not belong to its modulus and public exponent");
}
