// @ts-check
/** What a verifier checks of a token, and why it refuses one: every reason, not the first alone. */

import { isPublicKeyAlgorithm, isSignedBy } from "./signature.js";
import { decodeToken, Malformed } from "./token.js";
import { distanceInWords } from "./words.js";

/** @typedef {import("./signature.js").PublicKey} PublicKey */
/** @typedef {import("./token.js").Members} Members */
/** @typedef {import("./token.js").Token} Token */

/** What was checked; `ok` is undefined when it could not be, `reason` a clause of why it failed. */
/** @typedef {{what: string, ok: boolean | undefined, says: string, reason?: string}} Check */

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

/**
 * @param {unknown} kid
 * @param {PublicKey | undefined} key
 */
function checkKey(kid, key) {
  if (key) return passed("Key", `It names the key ${kid}, which is published.`);
  if (kid === undefined) return failed("Key", "It names no key.", "it names no key");
  return failed(
    "Key",
    `It names the key ${show(kid)}, which is not among the published ones.`,
    "its key is not published",
  );
}

/**
 * A verifier goes by the algorithm of the key: what a token claims is only compared with it
 * (RFC 8725 §3.1).
 *
 * @param {unknown} alg
 * @param {PublicKey | undefined} key
 */
function checkAlgorithm(alg, key) {
  if (!isPublicKeyAlgorithm(alg)) {
    const says = `It says ${show(alg)}, which proves nothing here: only public-key signatures do.`;
    return failed("Algorithm", says, "its algorithm is not one of public keys");
  }
  if (key === undefined) return passed("Algorithm", `It says ${alg}.`);
  if (alg === key.alg) return passed("Algorithm", `It says ${alg}, which is the key's.`);
  return failed(
    "Algorithm",
    `It says ${alg}, and the key is for ${show(key.alg)}.`,
    "its algorithm is not the key's",
  );
}

/**
 * @param {Token} token
 * @param {PublicKey | undefined} key
 * @param {SubtleCrypto | undefined} subtle
 * @returns {Promise<Check>}
 */
async function checkSignature(token, key, subtle) {
  if (key === undefined) return unchecked("There is no key to verify it with.");
  if (subtle === undefined) {
    return unchecked(
      "Browsers verify signatures only on pages from https or localhost.",
      "this page did not come from https or localhost",
    );
  }
  const isSigned = await isSignedBy(token, key, subtle);
  if (isSigned) return passed("Signature", "The key has signed just this header and payload.");
  if (isSigned === undefined) {
    return unchecked(
      `This browser has no ${key.alg}; other verifiers may.`,
      `this browser has no ${key.alg}`,
    );
  }
  return failed(
    "Signature",
    "It does not fit: the token was changed after it was signed, or another key signed it.",
    "its signature does not fit: it was tampered with, or another key signed it",
  );
}

/**
 * @param {Members} claims
 * @param {number} now
 * @returns {Check[]}
 */
function checkTimes({ exp, nbf }, now) {
  const end = typeof exp !== "number"
    ? failed("Expiry", "It does not say until when it is valid.", "it has no expiry")
    : exp <= now
    ? failed("Expiry", `It expired ${distanceInWords(exp, now)}.`, "it has expired")
    : passed("Expiry", `It expires ${distanceInWords(exp, now)}.`);
  if (nbf === undefined) return [end];
  const isBegun = typeof nbf === "number" && nbf <= now;
  const begin = isBegun
    ? passed("Start", "Its time has begun.")
    : typeof nbf === "number"
    ? failed("Start", `It is valid ${distanceInWords(nbf, now)}.`, "it is not valid yet")
    : failed("Start", "Its nbf is not a number.", "it is not valid yet");
  return [end, begin];
}

/**
 * @param {unknown} iss
 * @param {string} issuer
 */
function checkIssuer(iss, issuer) {
  if (iss === issuer) return passed("Issuer", `It is from ${issuer}.`);
  return failed("Issuer", `It is from ${show(iss)}, not from ${issuer}.`, "its issuer is another");
}

/**
 * RFC 7519 §4.1.3: one of those that it is for must be the expected one.
 *
 * @param {unknown} aud
 * @param {string} audience
 */
function checkAudience(aud, audience) {
  const audiences = Array.isArray(aud) ? aud : [aud];
  if (audiences.includes(audience)) return passed("Audience", `It is for ${audience}.`);
  const all = audiences.map(show).join(", ");
  return failed("Audience", `It is for ${all}, not for ${audience}.`, "its audience is another");
}

/** @param {unknown} value */
function show(value) {
  if (value === undefined) return "nothing";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * @param {string} what
 * @param {string} says
 * @returns {Check}
 */
function passed(what, says) {
  return { what, ok: true, says };
}

/**
 * @param {string} what
 * @param {string} says
 * @param {string} reason
 * @returns {Check}
 */
function failed(what, says, reason) {
  return { what, ok: false, says, reason };
}

/**
 * @param {string} says
 * @param {string} [reason]
 * @returns {Check}
 */
function unchecked(says, reason) {
  const check = { what: "Signature", ok: undefined, says };
  return reason === undefined ? check : { ...check, reason };
}
