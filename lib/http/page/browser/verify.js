// @ts-check
/** What a verifier checks of a token, and why it refuses one: every reason, not the first alone. */

import {
  checkAlgorithm,
  checkAudience,
  checkIssuer,
  checkKey,
  checkSignature,
  checkTimes,
  failed,
} from "./checks.js";
import { decodeToken, Malformed } from "./token.js";

/** @typedef {import("./checks.js").Check} Check */
/** @typedef {import("./signature.js").PublicKey} PublicKey */
/** @typedef {import("./token.js").Token} Token */

/**
 * What a token is verified against; `now` in seconds since the epoch. Without `subtle`, no signature
 * is verified.
 *
 * @typedef {{keys: PublicKey[], issuer: string, audience: string, now: number, subtle: SubtleCrypto | undefined}} Expected
 */

/** @typedef {{verdict: "valid" | "refused" | "unknown", checks: Check[], token: Token | undefined}} Verification */

/**
 * @param {string} text a token in compact form
 * @param {Expected} expected
 * @returns {Promise<Verification>}
 */
export async function verifyToken(text, expected) {
  let token;
  try {
    token = decodeToken(text);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const check = failed("Form", error.message, "it is not a token");
    return { verdict: "refused", checks: [check], token: undefined };
  }
  const { header, claims } = token;
  const key = expected.keys.find(({ kid }) => kid === header.kid && kid !== undefined);
  const algorithm = checkAlgorithm(header.alg, key);
  const checks = [
    checkKey(header.kid, key),
    algorithm,
    await checkSignature(token, algorithm.ok ? key : undefined, expected.subtle),
    ...checkTimes(claims, expected.now),
    checkIssuer(claims.iss, expected.issuer),
    checkAudience(claims.aud, expected.audience),
  ];
  return { verdict: judge(checks), checks, token };
}

/**
 * A verification in one sentence.
 *
 * @param {Verification} verification
 * @returns {string}
 */
export function verdictInWords({ verdict, checks }) {
  if (verdict === "valid") return "Valid: this issuer signed it, and nobody has changed it.";
  const reasons = checks.flatMap(({ reason }) => reason ?? []);
  const list = reasons.join("; ");
  return verdict === "refused" ? `Refused: ${list}.` : `Not verified: ${list}.`;
}

/** @param {Check[]} checks */
function judge(checks) {
  if (checks.some(({ ok }) => ok === false)) return "refused";
  return checks.every(({ ok }) => ok) ? "valid" : "unknown";
}
