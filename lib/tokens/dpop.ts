/** Proofs of possession of a key, to which a token is then bound: DPoP (RFC 9449). */

import { calculateJwkThumbprint, type JWK } from "jose";
import { z } from "zod";
import { type Clock, numericDate } from "../base/clock.ts";
import type { ReplayGuard } from "./replay_guard.ts";
import { VerificationError } from "./verification_error.ts";
import { importVerificationKey } from "./verification_key.ts";
import { parseToken, verifyJwt } from "./verifier.ts";

/** How old a proof may be, and how far its clock ahead, in seconds. */
export const PROOF_WINDOW = 60;

/** RFC 9449 §4.2. */
const ProofClaims = z.object({
  htm: z.string(),
  htu: z.string(),
  iat: z.number(),
  jti: z.string().min(1).max(256),
});

/** The request that a proof must be for. */
export interface ProvenRequest {
  method: string;
  /** The absolute URL at which the request arrived, as clients know it. */
  url: string;
}

/** What a proof proves. */
export interface Proof {
  /** The key's thumbprint (RFC 7638, SHA-256), for the token's `cnf.jkt`. */
  jkt: string;
  /**
   * Uses the proof, for whatever comes of this request: no other one can. To be called when the
   * client has authenticated, so that nobody else fills the memory.
   *
   * @throws {VerificationError} `replayed`
   * @throws {DomainError} `overloaded` when there is no room to remember it.
   */
  remember(): Promise<void>;
}

export interface ProofVerifier {
  /**
   * Checks all of RFC 9449 §4.3 but that the proof is used once, which is `remember`'s.
   *
   * @throws {VerificationError}
   */
  verify(proof: string, request: ProvenRequest): Promise<Proof>;
}

/** Makes what checks DPoP proofs. */
export function createProofVerifier(
  { replay, clock }: { replay: ReplayGuard; clock: Clock },
): ProofVerifier {
  return {
    async verify(proof, request) {
      const { header } = parseToken(proof);
      // The one place where a key comes from a header: it proves itself, and nothing else.
      const key = await importVerificationKey(header.jwk, header.algorithm);
      const keys = [{ ...key, kid: header.kid }];
      const { claims } = await verifyJwt(proof, keys, { clock, types: ["dpop+jwt"] });
      const { htm, htu, iat, jti } = readProofClaims(claims);
      if (htm !== request.method) throw refused("is for another method");
      if (!isSameTarget(htu, request.url)) throw refused("is for another URL");
      assertFresh(iat, numericDate(clock()));
      const jkt = await calculateJwkThumbprint(header.jwk as JWK, "sha256");
      let isUsed = false;
      const remember = async () => {
        if (isUsed) return; // a login may begin anew
        // Until it is too old to be taken: one second more than the last at which it is.
        isUsed = await replay.use(JSON.stringify(["proof", jkt, jti]), iat + PROOF_WINDOW + 1);
        if (!isUsed) throw new VerificationError("replayed", "the proof was used before");
      };
      return { jkt, remember };
    },
  };
}

function readProofClaims(claims: unknown) {
  const own = ProofClaims.safeParse(claims).data;
  if (own === undefined) throw refused("lacks htm, htu, iat or jti, or has them in another form");
  return own;
}

function assertFresh(iat: number, now: number): void {
  if (iat < now - PROOF_WINDOW) throw new VerificationError("expired", "the proof is too old");
  if (iat > now + PROOF_WINDOW) {
    throw new VerificationError("not_yet", "the proof was made in the future");
  }
}

/** RFC 9449 §4.3, 9: the same but for query, fragment, and what RFC 3986 §6.2.2 and §6.2.3 equate. */
function isSameTarget(htu: string, url: string): boolean {
  const target = normalize(htu);
  return target !== undefined && target === normalize(url);
}

function normalize(text: string): string | undefined {
  // URL mends what is not a URL (RFC 3986 §2): spaces, control characters, backslashes.
  if (!/^https?:\/\/[!-[\]-~]+$/i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  url.search = "";
  url.hash = "";
  return url.href;
}

function refused(what: string): VerificationError {
  return new VerificationError("claims", `the proof ${what}`);
}
