/** Tokens: signed JWTs (RFC 7519) for users who have authenticated. */

import { type Clock, numericDate } from "../base/clock.ts";
import { DomainError } from "../base/errors.ts";
import type { KeyRing, Signer } from "../keys/key_ring.ts";

export interface TokenIssuerParts {
  ring: KeyRing;
  clock: Clock;
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

/** A token, and what of it may be told to others than its client. */
export interface IssuedToken {
  /** In compact form. */
  token: string;
  /** The seconds it is still valid: 0 for an expired one. */
  expiresIn: number;
  kid: string;
  alg: string;
  jti: string;
  audience: string | string[];
}

/** The times of a token, in seconds since the epoch. */
interface TokenTimes {
  iat: number;
  exp: number;
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
  async issue(username: string, grant: TokenGrant = {}): Promise<IssuedToken> {
    const { ring, clock, tokenTtl, clockSkew } = this.#parts;
    const signer = await ring.signer();
    const iat = numericDate(clock());
    const life = Math.min(tokenTtl, grant.tokenTtl ?? tokenTtl);
    // A key made under a shorter TOKEN_TTL leaves the set earlier; its tokens end with it.
    const exp = Math.min(iat + life, signer.exp - clockSkew);
    if (exp <= iat) {
      throw new DomainError("overloaded", "No key can sign just now", { retryAfter: 1 });
    }
    return { ...await this.#sign(signer, username, { iat, exp }, grant), expiresIn: exp - iat };
  }

  /**
   * Issues a token that is expired, signed by a key that is not in the JWK set.
   *
   * @throws {DomainError} `invalid_request` when expired tokens are switched off; otherwise as
   * `issue` does.
   */
  async issueExpired(username: string, grant: TokenGrant = {}): Promise<IssuedToken> {
    const signer = await this.#parts.ring.expiredSigner();
    const { exp } = signer;
    const times = { iat: exp - this.#parts.tokenTtl, exp };
    return { ...await this.#sign(signer, username, times, grant), expiresIn: 0 };
  }

  /** What this server says goes over what the claims say. */
  async #sign(
    { alg, kid, sign }: Signer,
    username: string,
    { iat, exp }: TokenTimes,
    { typ = "JWT", audience = this.#parts.audience, scope, claims, jkt }: TokenGrant,
  ): Promise<Omit<IssuedToken, "expiresIn">> {
    const jti = crypto.randomUUID();
    const payload = {
      ...claims,
      client_id: username,
      ...(scope === undefined ? {} : { scope }),
      ...(jkt === undefined ? {} : { cnf: { jkt } }),
      iss: this.#parts.issuer,
      sub: username,
      aud: audience,
      iat,
      exp,
      jti,
    };
    const text = new TextEncoder().encode(JSON.stringify(payload));
    return { token: await sign({ alg, kid, typ }, text), kid, alg, jti, audience };
  }
}
