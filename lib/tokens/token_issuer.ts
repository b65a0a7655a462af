/** Tokens: signed JWTs (RFC 7519) for users who have authenticated. */

import { SignJWT } from "jose";
import { type Clock, numericDate } from "../base/clock.ts";
import { DomainError } from "../base/errors.ts";
import type { KeyRing, Signer } from "../keys/key_ring.ts";

export interface TokenIssuerParts {
  ring: KeyRing;
  clock: Clock;
  /** The `iss` claim: the URL under which verifiers know this server. */
  issuer: string;
  /** The `aud` claim. */
  audience: string;
  /** The life of a token, in seconds. */
  tokenTtl: number;
  /** How far a verifier's clock may be off, in seconds. */
  clockSkew: number;
}

/** A token in compact form and the seconds it is still valid: 0 for an expired one. */
export interface IssuedToken {
  token: string;
  expiresIn: number;
}

export class TokenIssuer {
  readonly #parts: TokenIssuerParts;

  constructor(parts: TokenIssuerParts) {
    this.#parts = parts;
  }

  /**
   * Issues a token for `username`, signed by the active key.
   *
   * @throws {DomainError} `storage_unavailable`, or `overloaded` when no key can sign just now.
   */
  async issue(username: string): Promise<IssuedToken> {
    const { ring, clock, tokenTtl, clockSkew } = this.#parts;
    const signer = await ring.signer();
    const iat = numericDate(clock());
    // A key made under a shorter TOKEN_TTL leaves the set earlier; its tokens end with it.
    const exp = Math.min(iat + tokenTtl, signer.exp - clockSkew);
    if (exp <= iat) {
      throw new DomainError("overloaded", "No key can sign just now", { retryAfter: 1 });
    }
    return { token: await this.#sign(signer, { username, iat, exp }), expiresIn: exp - iat };
  }

  /**
   * Issues a token that is expired, signed by a key that is not in the JWK set.
   *
   * @throws {DomainError} `invalid_request` when expired tokens are switched off; otherwise as
   * `issue` does.
   */
  async issueExpired(username: string): Promise<IssuedToken> {
    const signer = await this.#parts.ring.expiredSigner();
    const { exp } = signer;
    const iat = exp - this.#parts.tokenTtl;
    return { token: await this.#sign(signer, { username, iat, exp }), expiresIn: 0 };
  }

  #sign(
    signer: Signer,
    { username, iat, exp }: { username: string; iat: number; exp: number },
  ): Promise<string> {
    return new SignJWT({ client_id: username })
      .setProtectedHeader({ alg: signer.alg, kid: signer.kid, typ: "JWT" })
      .setIssuer(this.#parts.issuer)
      .setSubject(username)
      .setAudience(this.#parts.audience)
      .setIssuedAt(iat)
      .setExpirationTime(exp)
      .setJti(crypto.randomUUID())
      .sign(signer.privateKey);
  }
}
