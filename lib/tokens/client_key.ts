/** The public key of a client: checked as verifiers check it, before it is stored. */

import { calculateJwkThumbprint, type JWK } from "jose";
import type { ClientKey } from "../accounts/client_records.ts";
import { publicMembers, SIGNING_ALGORITHMS, type SigningAlgorithm } from "../keys/algorithms.ts";
import { refused } from "../keys/key_refusal.ts";
import { VerificationError } from "./verification_error.ts";
import { importVerificationKey } from "./verification_key.ts";

/** How the key is to be known; `alg` must be the one that the key itself says, if it does. */
export interface KeyOptions {
  kid?: string;
  alg?: SigningAlgorithm;
}

/** Printable ASCII, as it fits into a header and a line; it may hold spaces within. */
const KID = /^[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?$/;

/**
 * A public JWK (RFC 7517) as it is stored. Without a `kid` it is known by its thumbprint (RFC 7638),
 * without an `alg` it is for the usual algorithm of its type.
 *
 * @throws {DomainError} `key_refused` for a private or symmetric key, a weak or damaged one, and one
 * that may not verify. No message quotes the key.
 */
export async function toClientKey(
  { kid: own, ...jwk }: Readonly<Record<string, unknown>>,
  options: KeyOptions = {},
): Promise<ClientKey> {
  const { alg } = await verificationKey(jwk, options.alg);
  const { kty } = SIGNING_ALGORITHMS[alg];
  // Member by member, so that nothing else that stands in the file is stored.
  const numbers = Object.fromEntries(publicMembers(kty).map((name) => [name, jwk[name]]));
  const key = { kty, ...numbers, alg, use: "sig" };
  const kid = options.kid ?? own ?? await derivedKid(key);
  if (typeof kid === "string" && KID.test(kid)) return { ...key, kid };
  throw refused("its kid is not 1 to 128 printable ASCII characters", "name another kid");
}

async function verificationKey(jwk: object, alg: SigningAlgorithm | undefined) {
  try {
    return await importVerificationKey(jwk, alg);
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    throw refused(error.message.replace(/^the key is refused: /, ""));
  }
}

/** As imported keys are named: with `_` for a `-` in front, which looks like an option. */
async function derivedKid(jwk: JWK): Promise<string> {
  return (await calculateJwkThumbprint(jwk)).replace(/^-/, "_");
}
