/** RSA keys made of chosen numbers; what stands for a prime is odd, but need not be prime. */

import { Buffer } from "node:buffer";
import type { JWK } from "jose";

export interface RsaNumbers {
  n: bigint;
  e: bigint;
  d: bigint;
  p: bigint;
  q: bigint;
  dp: bigint;
  dq: bigint;
  qi: bigint;
}

/** A random odd number of so many bits, the two uppermost set. */
export function randomOdd(bits: number): bigint {
  const bytes = new Uint8Array(Math.ceil(bits / 8));
  crypto.getRandomValues(bytes);
  const random = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  return BigInt.asUintN(bits, random) | (3n << BigInt(bits - 2)) | 1n;
}

/** The key of two factors; gives nothing when they share a divisor, with each other or with e. */
export function rsaNumbers(p: bigint, q: bigint, e = 65_537n): RsaNumbers | undefined {
  const d = inverse(e, (p - 1n) * (q - 1n));
  const qi = inverse(q, p);
  if (d === undefined || qi === undefined) return undefined;
  return { n: p * q, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi };
}

/** A key whose factors have so many bits. */
export function randomRsa(pBits: number, qBits: number, e?: bigint): RsaNumbers {
  for (;;) {
    const made = rsaNumbers(randomOdd(pBits), randomOdd(qBits), e);
    if (made !== undefined) return made;
  }
}

export function toJwk(numbers: Partial<RsaNumbers>): JWK {
  const members = Object.entries(numbers).map(([name, value]) => [name, toBase64url(value)]);
  return { kty: "RSA", ...Object.fromEntries(members) };
}

/** The numbers of a whole key. */
export function toNumbers(jwk: JWK): RsaNumbers {
  const names = ["n", "e", "d", "p", "q", "dp", "dq", "qi"] as const;
  const numbers = names.map((name) => {
    return [name, BigInt(`0x${Buffer.from(jwk[name]!, "base64url").toString("hex")}`)];
  });
  return Object.fromEntries(numbers);
}

/** PKCS #1 in PEM (RFC 8017 appendix A.1.2). */
export function toPem({ n, e, d, p, q, dp, dq, qi }: RsaNumbers, version = 0n): string {
  const integers = [version, n, e, d, p, q, dp, dq, qi].map((value) => {
    const hex = value.toString(16);
    const whole = hex.length % 2 === 0 ? hex : `0${hex}`;
    return element("02", whole >= "80" ? `00${whole}` : whole); // else it would be negative
  });
  const der = Buffer.from(element("30", integers.join("")), "hex").toString("base64");
  const lines = der.match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN RSA PRIVATE KEY-----\n${lines}\n-----END RSA PRIVATE KEY-----\n`;
}

export function toBase64url(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex").toString("base64url");
}

function element(tag: string, content: string): string {
  const size = content.length / 2;
  const length = size.toString(16).padStart(size < 256 ? 2 : 4, "0");
  const form = size < 128 ? "" : size < 256 ? "81" : "82"; // the shortest one, as DER wants it
  return `${tag}${form}${length}${content}`;
}

function inverse(value: bigint, modulus: bigint): bigint | undefined {
  let [rest, next, factor, nextFactor] = [modulus, value % modulus, 0n, 1n];
  while (next !== 0n) {
    const quotient = rest / next;
    [rest, next] = [next, rest % next];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return rest === 1n ? (factor + modulus) % modulus : undefined;
}
