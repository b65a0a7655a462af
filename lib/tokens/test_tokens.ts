/**
 * Tokens for who tests a verifier: wrong on purpose, or with claims and times of the caller's choosing.
 * A server has this only where it is switched on.
 */

import { decodeJwt } from "jose";
import { numericDate } from "../base/clock.ts";
import { DEFECTS, type Moment } from "./defects.ts";
import type { ForeignKey } from "./foreign_keys.ts";
import { signTruly } from "./forgeries.ts";
import type { TestWish } from "./test_wish.ts";
import type { IssuedToken, TokenIssuerParts } from "./token_issuer.ts";
import { composePayload, currentTimes, type TokenGrant, type TokenTimes } from "./token_payload.ts";

type Claims = Readonly<Record<string, unknown>>;

export interface TestTokenIssuerParts extends TokenIssuerParts {
  /** What signs where no published key does. */
  foreignKey: ForeignKey;
}

export class TestTokenIssuer {
  readonly #parts: TestTokenIssuerParts;

  constructor(parts: TestTokenIssuerParts) {
    this.#parts = parts;
  }

  /**
   * Issues a token that is as `grant` says but for what `wish` says, which must be consistent. Its
   * end is the caller's choice: it may be later than that of its key.
   *
   * @throws {DomainError} as `TokenIssuer.issue` does.
   */
  async issue(username: string, wish: TestWish, grant: TokenGrant = {}): Promise<IssuedToken> {
    const { ring, clock, foreignKey } = this.#parts;
    const signer = await ring.signer();
    const now = numericDate(clock());
    const usual = currentTimes(signer, now, this.#parts, grant);
    const moment = { now, life: usual.exp - now };
    const defect = wish.defect && DEFECTS[wish.defect];
    const claims = withoutNulls({
      ...composePayload(username, timesOf(wish, moment), this.#parts, grant),
      ...defect?.makeClaims?.(moment),
      ...wish.claims,
    });
    const draft = { kid: signer.kid, typ: grant.typ ?? "JWT", claims };
    const forge = defect?.forge ?? signTruly;
    const forged = await forge(draft, { signer, foreignKey });
    const expiresIn = defect === undefined ? secondsLeft(claims, now) : 0;
    return { ...forged, expiresIn, ...whatIsSaid(forged.token) };
  }
}

/** A token that has ended had its usual life before, unless it is told when it began. */
function timesOf({ expiresIn, issuedAt }: TestWish, { now, life }: Moment): TokenTimes {
  const exp = expiresIn === undefined ? (issuedAt ?? now) + life : now + expiresIn;
  return { iat: issuedAt ?? (exp > now ? now : exp - life), exp };
}

function withoutNulls(claims: Claims): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null));
}

/** For how long a verifier takes such a token: not at all unless its times are now. */
function secondsLeft({ exp, nbf }: Claims, now: number): number {
  if (typeof exp !== "number" || (nbf !== undefined && !(typeof nbf === "number" && nbf <= now))) {
    return 0;
  }
  return Math.max(0, Math.floor(exp - now));
}

/** What others than the client may be told of a token, whatever stands in it. */
function whatIsSaid(token: string): Pick<IssuedToken, "jti" | "audience" | "scope"> {
  const { jti, aud, scope } = decodeJwt<Claims>(token);
  return {
    jti: textOf(jti),
    audience: Array.isArray(aud) ? aud.map(textOf) : textOf(aud),
    scope: typeof scope === "string" ? scope : undefined,
  };
}

function textOf(claim: unknown): string {
  return typeof claim === "string" ? claim : JSON.stringify(claim) ?? "";
}
