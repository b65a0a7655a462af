/** Clients that authenticate with a JWT which they signed: `private_key_jwt` (RFC 7523 §2.2, §3). */

import { z } from "zod";
import { Registration } from "../accounts/registration.ts";
import { type Clock, numericDate } from "../base/clock.ts";
import type { ReplayGuard } from "./replay_guard.ts";
import { VerificationError } from "./verification_error.ts";
import type { VerificationKey } from "./verification_key.ts";
import { CLOCK_SKEW, parseToken, readClaims, verifyJwt } from "./verifier.ts";

/** How far ahead an assertion's `exp` may be, in seconds, beside `CLOCK_SKEW`. */
export const ASSERTION_LIFE = 300;

/** What `typ` may say; most clients leave it out. */
const TYPES = [undefined, "JWT", "client-authentication+jwt"];

/** Whom an assertion speaks for: both are the client (RFC 7523 §3, 1 and 2.B). */
const Parties = z.object({ iss: z.string(), sub: Registration.shape.username })
  .refine(({ iss, sub }) => iss === sub);

/** RFC 7523 §3. One audience only, so that an assertion for one server is of no use to another. */
const AssertionClaims = z.object({
  aud: z.string(),
  exp: z.number(),
  iat: z.number().optional(),
  jti: z.string().min(1).max(256),
});
type AssertionClaims = z.infer<typeof AssertionClaims>;

export interface AssertionVerifierParts {
  /** What `aud` may be: the issuer and the token endpoint's URL. */
  audiences: readonly string[];
  replay: ReplayGuard;
  clock: Clock;
}

/** In two steps, between which the caller looks up the client's keys. */
export interface AssertionVerifier {
  /**
   * The client that an assertion claims to be from. Nothing of it is verified.
   *
   * @throws {VerificationError}
   */
  clientOf(assertion: string): string;
  /**
   * Resolves when `assertion` was signed by `clientId` with one of its `keys`, for this server, for
   * now, and was not used before; it is used then. Gives the key.
   *
   * @throws {VerificationError}
   * @throws {DomainError} `overloaded` when there is no room to remember it.
   */
  verify<Key extends VerificationKey>(
    assertion: string,
    keys: readonly Key[],
    clientId: string,
  ): Promise<Key>;
}

/** Makes what checks client assertions. */
export function createAssertionVerifier(parts: AssertionVerifierParts): AssertionVerifier {
  const { audiences, replay, clock } = parts;
  return {
    clientOf: (assertion) => subjectOf(readClaims(parseToken(assertion).payload)),

    async verify(assertion, keys, clientId) {
      const { claims, key } = await verifyJwt(assertion, keys, { clock, types: TYPES });
      if (subjectOf(claims) !== clientId) throw refused("is from another client");
      const own = AssertionClaims.safeParse(claims).data;
      if (own === undefined) throw refused("lacks aud, exp or jti, or has them in another form");
      if (!audiences.includes(own.aud)) throw refused("is for another audience");
      assertLife(own, numericDate(clock()));
      // It would be taken until its `exp` and the leeway for that.
      const id = JSON.stringify(["assertion", clientId, own.jti]);
      if (!await replay.use(id, own.exp + CLOCK_SKEW)) {
        throw new VerificationError("replayed", "the assertion was used before");
      }
      return key;
    },
  };
}

function subjectOf(claims: unknown): string {
  const parties = Parties.safeParse(claims).data;
  if (parties === undefined) throw refused("has not the client as its iss and sub");
  return parties.sub;
}

function assertLife({ exp, iat }: AssertionClaims, now: number): void {
  if (exp > now + ASSERTION_LIFE + CLOCK_SKEW) {
    throw refused(`has an exp more than ${ASSERTION_LIFE} seconds ahead`);
  }
  if (iat !== undefined && iat > now + CLOCK_SKEW) {
    throw new VerificationError("not_yet", "the assertion was issued in the future");
  }
}

function refused(what: string): VerificationError {
  return new VerificationError("claims", `the assertion ${what}`);
}
