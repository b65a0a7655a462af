/** Public RSA keys, checked as numbers before a cryptographic library sees them. */

import { Buffer } from "node:buffer";
import { RSA_BITS } from "../keys/algorithms.ts";
import { bitLength, isEven } from "../keys/integers.ts";
import { VerificationError } from "./verification_error.ts";

/** One more than the greatest public exponent that Deno's WebCrypto takes. */
const EXPONENT_END = 1n << 33n;

/**
 * The odd primes up to 701. The keys of the ROCA fault (CVE-2017-15361) of 1984 bits and more were
 * made with these, or with more of them.
 */
const ROCA_PRIMES = oddPrimes(701);

/** The base of whose powers the primes of such keys consist, modulo each of `ROCA_PRIMES`. */
const ROCA_GENERATOR = 65537;

/**
 * Asserts that a key may verify: a modulus of 2048 (RFC 7518 §3.3) to 4096 bits, and an exponent
 * that makes forging hard.
 *
 * @throws {VerificationError} `key`
 */
export function assertRsaPublicKey(modulus: Uint8Array, exponent: Uint8Array): void {
  // RFC 7518 §2, Base64urlUInt: no zero bytes in front, so that one key has one thumbprint.
  if (modulus[0] === 0 || exponent[0] === 0) throw refused("its numbers begin with zero bytes");
  if (modulus.length * 8 > RSA_BITS.greatest) throw refused("its modulus is too long");
  const [n, e] = [toNumber(modulus), toNumber(exponent.subarray(0, 8))];
  if (bitLength(n) < RSA_BITS.least) throw refused("its modulus is too short");
  if (isEven(n)) throw refused("its modulus is even");
  if (e < 3n || e >= EXPONENT_END || isEven(e)) {
    throw refused("its exponent is not an odd number from 3 to 2^33 - 1");
  }
  if (hasRocaFingerprint(n)) throw refused("anyone can find its private half (CVE-2017-15361)");
}

/**
 * Whether a modulus is made as the faulty generator made them: a power of 65537 modulo every small
 * prime. Of sound keys less than one in 2^100 is.
 */
function hasRocaFingerprint(modulus: bigint): boolean {
  return ROCA_PRIMES.every((prime) => isPower(Number(modulus % BigInt(prime)), prime));
}

/** Whether `value` is a power of `ROCA_GENERATOR` modulo `prime`. */
function isPower(value: number, prime: number): boolean {
  let power = 1;
  do {
    if (power === value) return true;
    power = power * ROCA_GENERATOR % prime;
  } while (power !== 1);
  return false;
}

function oddPrimes(greatest: number): number[] {
  const primes: number[] = [];
  for (let number = 3; number <= greatest; number += 2) {
    if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  }
  return primes;
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x0${Buffer.from(bytes).toString("hex")}`);
}

function refused(reason: string): VerificationError {
  return new VerificationError("key", `the key is refused: ${reason}`);
}
