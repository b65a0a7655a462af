/** Signing keys: made, imported for signing, and reduced to their public half. */

import { CompactSign, type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from "jose";

/** The size of new RSA keys, in bits. */
const RSA_BITS = 2048;

/** The public members of each key type (RFC 7518 §6, RFC 8037 §2, RFC 9964 §3). */
const PUBLIC_MEMBERS = {
  RSA: ["n", "e"],
  EC: ["crv", "x", "y"],
  OKP: ["crv", "x"],
  AKP: ["pub"],
} as const satisfies Record<string, readonly (keyof JWK)[]>;

/** The JWS algorithms that keys are made for, each with its key type. */
export const SIGNING_ALGORITHMS = {
  "RS256": "RSA",
  "RS384": "RSA",
  "RS512": "RSA",
  "PS256": "RSA",
  "PS384": "RSA",
  "PS512": "RSA",
  "ES256": "EC",
  "ES384": "EC",
  "ES512": "EC",
  "EdDSA": "OKP",
  "ML-DSA-44": "AKP",
  "ML-DSA-65": "AKP",
  "ML-DSA-87": "AKP",
} as const satisfies Record<string, keyof typeof PUBLIC_MEMBERS>;

export type SigningAlgorithm = keyof typeof SIGNING_ALGORITHMS;

/** A private JWK that says what it is for. */
export interface PrivateJwk extends JWK {
  alg: SigningAlgorithm;
}

/** What the JWK set says of a key: public members only. */
export interface PublicJwk extends JWK {
  kid: string;
  use: "sig";
  alg: SigningAlgorithm;
}

/** A key that signs. */
export interface SigningKey {
  /** As verifiers know it: the `kid` of the JWK set and of the token's header. */
  kid: string;
  alg: SigningAlgorithm;
  /** Not extractable. */
  privateKey: CryptoKey;
  publicJwk: PublicJwk;
}

/** Makes a private key with WebCrypto, as a JWK without a `kid`. */
export async function generatePrivateJwk(alg: SigningAlgorithm): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: RSA_BITS });
  return { ...await exportJWK(privateKey), alg };
}

/**
 * Readies a stored key for signing under `jwk.kid`.
 *
 * @throws when the JWK is not a whole private key for a known algorithm.
 */
export async function importSigningKey(jwk: JWK): Promise<SigningKey> {
  const { kid, alg } = jwk;
  if (kid === undefined || !isSigningAlgorithm(alg)) {
    throw new TypeError(`Cannot import a key: kid is ${kid}, alg is ${alg}`);
  }
  const privateKey = await importJWK(jwk, alg, { extractable: false });
  if (privateKey instanceof Uint8Array || privateKey.type !== "private") {
    throw new TypeError("Cannot import a key: it is not a private key");
  }
  return { kid, alg, privateKey, publicJwk: toPublicJwk(jwk, kid, alg) };
}

/** The public half, picked member by member: what is not named here cannot leak. */
export function toPublicJwk(jwk: JWK, kid: string, alg: SigningAlgorithm): PublicJwk {
  const kty = SIGNING_ALGORITHMS[alg];
  const members = PUBLIC_MEMBERS[kty].map((name) => [name, jwk[name]]);
  return { kty, kid, use: "sig", alg, ...Object.fromEntries(members) };
}

/** Whether this runtime can make and use keys for `alg`. */
export async function isSupported(alg: SigningAlgorithm): Promise<boolean> {
  if (SIGNING_ALGORITHMS[alg] === "RSA") return true; // everywhere, and slow to try
  try {
    const { privateKey } = await importSigningKey({
      ...await generatePrivateJwk(alg),
      kid: "probe",
    });
    await new CompactSign(new Uint8Array(1)).setProtectedHeader({ alg }).sign(privateKey);
    return true;
  } catch {
    return false; // whatever it is that the runtime lacks
  }
}

export function isSigningAlgorithm(alg: string | undefined): alg is SigningAlgorithm {
  return alg !== undefined && Object.hasOwn(SIGNING_ALGORITHMS, alg);
}
