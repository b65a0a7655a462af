/** What a token is worth at this moment (RFC 7662), for services that do not verify it themselves. */

import { isDisabled } from "../accounts/accounts.ts";
import type { Clock } from "../base/clock.ts";
import type { HeldKey } from "../keys/held_key.ts";
import type { KeyRing } from "../keys/key_ring.ts";
import type { UserStorage } from "../storage/storage.ts";
import { VerificationError } from "./verification_error.ts";
import { importVerificationKey, type VerificationKey } from "./verification_key.ts";
import { type TokenClaims, verifyJwt } from "./verifier.ts";

export interface IntrospectionParts {
  ring: KeyRing;
  storage: Pick<UserStorage, "findUser">;
  issuer: string;
  clock: Clock;
}

/** RFC 7662 §2.2: of a token that is not active nothing is said but that. */
export type IntrospectionResponse =
  | { active: false }
  | ({ active: true; token_type: "Bearer" | "DPoP"; username: string } & TokenClaims);

export type Introspect = (token: string) => Promise<IntrospectionResponse>;

/** The types of the tokens that this server issues. */
const TYPES = ["JWT", "at+jwt"];

const INACTIVE: IntrospectionResponse = { active: false };

/** Makes the function that tells whether a token was issued here and still counts. */
export function createIntrospection(parts: IntrospectionParts): Introspect {
  const { ring, storage, issuer, clock } = parts;
  const imported = new WeakMap<HeldKey, Promise<VerificationKey[]>>();
  const verificationKeys = (key: HeldKey) => {
    const known = imported.get(key) ?? toVerificationKeys(key);
    imported.set(key, known);
    return known;
  };

  /**
   * @throws {DomainError} `storage_unavailable` when neither the keys nor the client can be looked up.
   */
  return async function introspect(token) {
    const keys = await Promise.all((await ring.verifying()).map(verificationKeys));
    const claims = await claimsOf(token, keys.flat(), clock);
    if (claims === undefined || claims.iss !== issuer || claims.exp === undefined) return INACTIVE;
    const client = typeof claims.sub === "string" ? await storage.findUser(claims.sub) : undefined;
    if (client === undefined || isDisabled(client)) return INACTIVE;
    const token_type = claims.cnf === undefined ? "Bearer" : "DPoP";
    return { ...claims, active: true, token_type, username: client.username };
  };
}

/** A weak key that was imported from another issuer verifies nothing here. */
async function toVerificationKeys({ publicJwk }: HeldKey): Promise<VerificationKey[]> {
  try {
    return [await importVerificationKey(publicJwk)];
  } catch (error) {
    if (error instanceof VerificationError) return [];
    throw error;
  }
}

async function claimsOf(
  token: string,
  keys: readonly VerificationKey[],
  clock: Clock,
): Promise<TokenClaims | undefined> {
  try {
    return (await verifyJwt(token, keys, { clock, clockSkew: 0, types: TYPES })).claims;
  } catch (error) {
    if (error instanceof VerificationError) return undefined;
    throw error;
  }
}
