/** What a token says: its claims (RFC 7519 §4, RFC 9068 §2.2), before anybody signs them. */

import { DomainError } from "../base/errors.ts";
import type { Signer } from "../keys/key_ring.ts";

/** What every token of this server has in common. */
export interface TokenRules {
  /** The `iss` claim: the URL under which verifiers know this server. */
  issuer: string;
  /** The `aud` claim, unless a client has another. */
  audience: string;
  /** The life of a token, in seconds. */
  tokenTtl: number;
  /** How far a verifier's clock may be off, in seconds. */
  clockSkew: number;
}

/** What a token says beside whom it is for; what is left out is as `POST /auth` gives it. */
export interface TokenGrant {
  /** `at+jwt` for an access token of OAuth (RFC 9068 §2.1). */
  typ?: "JWT" | "at+jwt";
  /** The `aud` claim, when it is not the default one. */
  audience?: string | string[] | undefined;
  /** Scopes separated by spaces (RFC 6749 §3.3). */
  scope?: string | undefined;
  /** Further claims; none of those that this server makes. */
  claims?: Readonly<Record<string, unknown>>;
  /** The life of the token, in seconds, when it is shorter than the usual one. */
  tokenTtl?: number | undefined;
  /** The thumbprint of the key that the token is bound to (RFC 9449 §6). */
  jkt?: string | undefined;
}

/** The times of a token, in seconds since the epoch. */
export interface TokenTimes {
  iat: number;
  exp: number;
}

/**
 * The times of a token that is signed now.
 *
 * @throws {DomainError} `overloaded` when it would be over at once.
 */
export function currentTimes(
  signer: Pick<Signer, "exp">,
  now: number,
  { tokenTtl, clockSkew }: TokenRules,
  grant: TokenGrant,
): TokenTimes {
  const life = Math.min(tokenTtl, grant.tokenTtl ?? tokenTtl);
  // A key made under a shorter TOKEN_TTL leaves the set earlier; its tokens end with it.
  const exp = Math.min(now + life, signer.exp - clockSkew);
  if (exp > now) return { iat: now, exp };
  throw new DomainError("overloaded", "No key can sign just now", { retryAfter: 1 });
}

/** The claims of a token. What this server says goes over what the grant's own claims say. */
export function composePayload(
  username: string,
  { iat, exp }: TokenTimes,
  rules: TokenRules,
  { audience = rules.audience, scope, claims, jkt }: TokenGrant,
) {
  return {
    ...claims,
    client_id: username,
    ...(scope === undefined ? {} : { scope }),
    ...(jkt === undefined ? {} : { cnf: { jkt } }),
    iss: rules.issuer,
    sub: username,
    aud: audience,
    iat,
    exp,
    jti: crypto.randomUUID() as string,
  };
}

/** The claims as the bytes that are signed. */
export function encodePayload(payload: Readonly<Record<string, unknown>>): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(payload));
}
