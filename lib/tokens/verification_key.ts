/** Public keys that are known beforehand, each for one algorithm. */

import { createPublicKey } from "node:crypto";
import { type CryptoKey, importJWK, type JWK } from "jose";
import { z } from "zod";
import {
  algorithmsFor,
  isSigningAlgorithm,
  PRIVATE_MEMBERS,
  publicMembers,
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
} from "../keys/algorithms.ts";
import { decodeBase64url } from "./base64url.ts";
import { assertEd25519PublicKey } from "./ed25519_public_key.ts";
import { assertRsaPublicKey } from "./rsa_public_key.ts";
import { VerificationError } from "./verification_error.ts";

/** A key that verifies signatures of one algorithm. */
export interface VerificationKey {
  kid?: string | undefined;
  alg: SigningAlgorithm;
  publicKey: CryptoKey;
}

/** What is read of a JWK beside the numbers of its key (RFC 7517 §4). */
const KeyDescription = z.looseObject({
  kty: z.string(),
  crv: z.string().optional(),
  alg: z.string().optional(),
  kid: z.string().min(1).max(256).optional(),
  use: z.literal("sig").optional(),
  key_ops: z.array(z.string()).refine((operations) => operations.includes("verify")).optional(),
});
type KeyDescription = z.infer<typeof KeyDescription>;

/** The algorithm that a name stands for: "Ed25519" is what "EdDSA" means here (RFC 9864 §2.2). */
export function toSigningAlgorithm(name: unknown): SigningAlgorithm | undefined {
  if (name === "Ed25519") return "EdDSA";
  return isSigningAlgorithm(name) ? name : undefined;
}

/**
 * Readies a public JWK for verifying. Its algorithm is the one that it names, else `alg`, else the
 * usual one for its type.
 *
 * @throws {VerificationError} `key` for private and symmetric keys, weak or damaged ones, those of
 * an unknown type or curve, for another use, or for another algorithm than `alg`.
 */
export async function importVerificationKey(
  jwk: unknown,
  alg?: SigningAlgorithm,
): Promise<VerificationKey> {
  const key = describe(jwk);
  const own = algorithmOf(key, alg);
  const members = numbersOf(key, own);
  try {
    // Deno's WebCrypto takes points that are not on the curve; this does not, nor coordinates that
    // are shorter or longer than the curve's (RFC 7518 §6.2.1.2).
    if (members.kty === "EC") createPublicKey({ key: members, format: "jwk" });
    const publicKey = await importJWK(members, own);
    if (!(publicKey instanceof Uint8Array)) return { kid: key.kid, alg: own, publicKey };
  } catch {
    // Refused as well: not a point of the curve, or an algorithm that this runtime lacks.
  }
  throw refused("it is damaged, or its algorithm is not supported");
}

function describe(jwk: unknown): KeyDescription {
  const parsed = KeyDescription.safeParse(jwk);
  if (!parsed.success) throw refused("it is not a JWK for verifying signatures (RFC 7517 §4)");
  const isPrivate = PRIVATE_MEMBERS.some((name) => Object.hasOwn(parsed.data, name));
  if (isPrivate) throw refused("it has private members");
  return parsed.data;
}

function algorithmOf(key: KeyDescription, wanted?: SigningAlgorithm): SigningAlgorithm {
  const fitting = algorithmsFor(key);
  const named = key.alg === undefined ? wanted ?? fitting[0] : toSigningAlgorithm(key.alg);
  if (named === undefined || !fitting.includes(named)) {
    throw refused("its type, curve or algorithm is not supported, or they do not fit");
  }
  if (wanted !== undefined && wanted !== named) throw refused("it is for another algorithm");
  return named;
}

/** The public members and no other, each a number in its one form, so that no key has two names. */
function numbersOf(key: KeyDescription, alg: SigningAlgorithm): JWK {
  const { kty, crv } = SIGNING_ALGORITHMS[alg];
  const numbers = publicMembers(kty).filter((name) => name !== "crv");
  const bytes = numbers.map((name) => {
    const text = key[name];
    const decoded = typeof text === "string" ? decodeBase64url(text) : undefined;
    if (decoded === undefined || decoded.length === 0) throw refused(`its ${name} is no base64url`);
    return decoded;
  });
  if (kty === "RSA") assertRsaPublicKey(bytes[0]!, bytes[1]!); // publicMembers: n, e
  if (crv === "Ed25519") assertEd25519PublicKey(bytes[0]!);
  const members = Object.fromEntries(publicMembers(kty).map((name) => [name, key[name]]));
  return kty === "AKP" ? { kty, alg, ...members } : { kty, ...members };
}

function refused(reason: string): VerificationError {
  return new VerificationError("key", `the key is refused: ${reason}`);
}
