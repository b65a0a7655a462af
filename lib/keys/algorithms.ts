/** The JWS algorithms that keys are made for, and what their keys consist of. */

import type { JWK } from "jose";

/** What an algorithm asks of its key. */
export interface Algorithm {
  kty: KeyType;
  /** The one curve of its keys, for key types that have curves. */
  crv?: "P-256" | "P-384" | "P-521" | "Ed25519";
  /** The hash that is signed, where the algorithm does not contain its own. */
  hash?: "SHA-256" | "SHA-384" | "SHA-512";
}

/** The members of each key type's JWK (RFC 7518 §6, RFC 8037 §2, RFC 9964 §3). */
const KEY_TYPES = {
  RSA: { public: ["n", "e"], private: ["d", "p", "q", "dp", "dq", "qi", "oth"] },
  EC: { public: ["crv", "x", "y"], private: ["d"] },
  OKP: { public: ["crv", "x"], private: ["d"] },
  AKP: { public: ["pub"], private: ["priv"] },
} as const satisfies Record<string, Record<"public" | "private", readonly (keyof JWK)[]>>;

export type KeyType = keyof typeof KEY_TYPES;

/** RFC 7518 §3 and §3.4, RFC 8037 §3.1, RFC 9964 §3; of each key type the most usual one first. */
const ALGORITHMS = {
  "RS256": { kty: "RSA", hash: "SHA-256" },
  "RS384": { kty: "RSA", hash: "SHA-384" },
  "RS512": { kty: "RSA", hash: "SHA-512" },
  "PS256": { kty: "RSA", hash: "SHA-256" },
  "PS384": { kty: "RSA", hash: "SHA-384" },
  "PS512": { kty: "RSA", hash: "SHA-512" },
  "ES256": { kty: "EC", crv: "P-256", hash: "SHA-256" },
  "ES384": { kty: "EC", crv: "P-384", hash: "SHA-384" },
  "ES512": { kty: "EC", crv: "P-521", hash: "SHA-512" },
  "EdDSA": { kty: "OKP", crv: "Ed25519" },
  "ML-DSA-44": { kty: "AKP" },
  "ML-DSA-65": { kty: "AKP" },
  "ML-DSA-87": { kty: "AKP" },
} as const satisfies Record<string, Algorithm>;

export type SigningAlgorithm = keyof typeof ALGORITHMS;

/** Every algorithm that keys are made for, with what it asks of its key. */
export const SIGNING_ALGORITHMS: Readonly<Record<SigningAlgorithm, Algorithm>> = ALGORITHMS;

/** The names of `SIGNING_ALGORITHMS`, as people may write them. */
export const ALGORITHM_NAMES = Object.keys(ALGORITHMS) as readonly SigningAlgorithm[];

/**
 * The sizes of RSA keys, in bits: the least that JWS allows (RFC 7518 §3.3), the greatest whose
 * signatures Deno's WebCrypto verifies, and that of new keys.
 */
export const RSA_BITS = { least: 2048, greatest: 4096, made: 2048 } as const;

/** The members that only a private JWK has, those of symmetric keys (RFC 7518 §6.4) included. */
export const PRIVATE_MEMBERS: readonly string[] = [
  ...new Set(Object.values(KEY_TYPES).flatMap((type) => type.private)),
  "k",
];

export function isSigningAlgorithm(alg: unknown): alg is SigningAlgorithm {
  return typeof alg === "string" && Object.hasOwn(ALGORITHMS, alg);
}

/** The members that the public JWK of such a key consists of, next to `kty`. */
export function publicMembers(kty: KeyType): readonly (keyof JWK)[] {
  return KEY_TYPES[kty].public;
}

/** The members that the private JWK of such a key adds to the public ones. */
export function privateMembers(kty: KeyType): readonly (keyof JWK)[] {
  return KEY_TYPES[kty].private;
}

/**
 * The algorithms that a key may sign with, the most usual one first; none when it is of no type or
 * curve that is known. A key of type AKP is for the one that it names (RFC 9964 §3).
 */
export function algorithmsFor(key: {
  kty?: string | undefined;
  crv?: string | undefined;
  alg?: string | undefined;
}): SigningAlgorithm[] {
  return ALGORITHM_NAMES.filter((name) => {
    const { kty, crv } = SIGNING_ALGORITHMS[name];
    if (kty !== key.kty) return false;
    return kty === "AKP" ? name === key.alg : crv === undefined || crv === key.crv;
  });
}
