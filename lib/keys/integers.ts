/**
 * Arithmetic of big integers for checking keys. It takes a time that depends on the numbers: not
 * for signing.
 */

import { Buffer } from "node:buffer";

/** Rounds of the Miller-Rabin test for primes of 1024 bits and more (FIPS 186-5 appendix B.3). */
const ROUNDS = 5;

export function isEven(value: bigint): boolean {
  return value % 2n === 0n;
}

/** How many bits a number that is not negative takes; 0 for 0. */
export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

export function greatestCommonDivisor(one: bigint, other: bigint): bigint {
  while (other !== 0n) [one, other] = [other, one % other];
  return one;
}

/** The greatest integer whose square is at most `value` (1 or more), by Newton's method. */
export function squareRoot(value: bigint): bigint {
  let root = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** What `value` must be multiplied with to give 1 modulo `modulus`; nothing when they share a divisor. */
export function inverse(value: bigint, modulus: bigint): bigint | undefined {
  let [rest, next] = [modulus, value % modulus];
  let [factor, nextFactor] = [0n, 1n];
  while (next !== 0n) {
    const quotient = rest / next;
    [rest, next] = [next, rest % next];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  if (rest !== 1n) return undefined;
  return factor < 0n ? factor + modulus : factor;
}

/** Whether an odd number above 3 passes the Miller-Rabin test (FIPS 186-5 appendix B.3.1). */
export function isProbablePrime(value: bigint): boolean {
  const twos = trailingZeros(value - 1n);
  return Array.from({ length: ROUNDS }).every(() => passes(value, twos));
}

/** One round, with a random base; `value - 1` is odd times 2^`twos`. */
function passes(value: bigint, twos: number): boolean {
  let power = modularPower(randomBase(value), (value - 1n) >> BigInt(twos), value);
  if (power === 1n) return true;
  for (let round = 0; round < twos; round++) {
    if (power === value - 1n) return true;
    power = power * power % value;
  }
  return false;
}

function trailingZeros(value: bigint): number {
  const digits = value.toString(2);
  return digits.length - 1 - digits.lastIndexOf("1");
}

/** A number from 2 to `value` - 2, as good as equally distributed. */
function randomBase(value: bigint): bigint {
  const bytes = crypto.getRandomValues(new Uint8Array((bitLength(value) >> 3) + 9));
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`) % (value - 3n) + 2n;
}

function modularPower(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let power = 1n;
  for (const digit of exponent.toString(2)) {
    power = power * power % modulus;
    if (digit === "1") power = power * base % modulus;
  }
  return power;
}
