/** Tokens: signed JWTs (RFC 7519) for users who have authenticated. */

import { type Clock, numericDate } from "../base/clock.ts";
import type { KeyRing, Signer } from "../keys/key_ring.ts";
import {
  composePayload,
  currentTimes,
  encodePayload,
  type TokenGrant,
  type TokenRules,
  type TokenTimes,
} from "./token_payload.ts";

export interface TokenIssuerParts extends TokenRules {
  ring: KeyRing;
  clock: Clock;
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
  scope?: string | undefined;
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
    const { ring, clock } = this.#parts;
    const signer = await ring.signer();
    const times = currentTimes(signer, numericDate(clock()), this.#parts, grant);
    const signed = await this.#sign(signer, username, times, grant);
    return { ...signed, expiresIn: times.exp - times.iat };
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

  async #sign(
    { alg, kid, sign }: Signer,
    username: string,
    times: TokenTimes,
    grant: TokenGrant,
  ): Promise<Omit<IssuedToken, "expiresIn">> {
    const payload = composePayload(username, times, this.#parts, grant);
    const { jti, aud: audience, scope } = payload;
    const header = { alg, kid, typ: grant.typ ?? "JWT" };
    return { token: await sign(header, encodePayload(payload)), kid, alg, jti, audience, scope };
  }
}
