/** Signing keys: made, imported for signing, and reduced to their public half. */

import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, importJWK, type JWK } from "jose";
import { DomainError } from "../base/errors.ts";
import {
  isSigningAlgorithm,
  publicMembers,
  RSA_BITS,
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
} from "./algorithms.ts";
import { createSign, type Sign } from "./sign.ts";

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
  /** All that can be done with the private half. */
  sign: Sign;
  publicJwk: PublicJwk;
}

/**
 * Makes a private key with WebCrypto, as a JWK without a `kid`.
 *
 * @throws {DomainError} `failed` when this runtime cannot.
 */
export async function generatePrivateJwk(alg: SigningAlgorithm): Promise<PrivateJwk> {
  try {
    const options = { extractable: true, modulusLength: RSA_BITS.made };
    const { privateKey } = await generateKeyPair(alg, options);
    return { ...await exportJWK(privateKey), alg };
  } catch (cause) {
    const runtime = `this runtime (Deno ${Deno.version.deno})`;
    throw new DomainError("failed", `No key can be made for ${alg}: ${runtime} lacks it`, {
      cause,
      hints: ["choose another SIGNING_ALG, or run a build on a newer Deno"],
    });
  }
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
  return { kid, alg, sign: await createSign(jwk, alg), publicJwk: toPublicJwk(jwk, kid, alg) };
}

/** Makes a key that is in no ring, under a kid that no other key has. @throws as `generatePrivateJwk` does. */
export async function makeEphemeralKey(alg: SigningAlgorithm): Promise<SigningKey> {
  return await importSigningKey({ ...await generatePrivateJwk(alg), kid: crypto.randomUUID() });
}

/** A public key as PEM (RFC 7468 §13), as OpenSSL writes it: lines of 64 signs, and a newline at the end. */
export async function toPublicPem(publicJwk: PublicJwk): Promise<string> {
  const key = await importJWK(publicJwk, publicJwk.alg, { extractable: true });
  return `${(await exportSPKI(key as CryptoKey)).trimEnd()}\n`;
}

/** The public half, picked member by member: what is not named here cannot leak. */
export function toPublicJwk(jwk: JWK, kid: string, alg: SigningAlgorithm): PublicJwk {
  const { kty } = SIGNING_ALGORITHMS[alg];
  const members = publicMembers(kty).map((name) => [name, jwk[name]]);
  return { kty, kid, use: "sig", alg, ...Object.fromEntries(members) };
}

/** Whether this runtime can make and use keys for `alg`. */
export async function isSupported(alg: SigningAlgorithm): Promise<boolean> {
  if (SIGNING_ALGORITHMS[alg].kty === "RSA") return true; // everywhere, and slow to try
  try {
    const { sign } = await importSigningKey({ ...await generatePrivateJwk(alg), kid: "probe" });
    await sign({ alg }, new Uint8Array(1));
    return true;
  } catch {
    return false; // whatever it is that the runtime lacks
  }
}
