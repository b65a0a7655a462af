// @ts-check
/** The single checks of a token; each says what it found, and why when that is a refusal. */

import { isPublicKeyAlgorithm, isSignedBy } from "./signature.js";
import { distanceInWords } from "./words.js";

/** @typedef {import("./signature.js").PublicKey} PublicKey */
/** @typedef {import("./token.js").Members} Members */
/** @typedef {import("./token.js").Token} Token */

/** What was checked; `ok` is undefined when it could not be, `reason` a clause of why it failed. */
/** @typedef {{what: string, ok: boolean | undefined, says: string, reason?: string}} Check */

/**
 * @param {unknown} kid
 * @param {PublicKey | undefined} key
 */
export function checkKey(kid, key) {
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
export function checkAlgorithm(alg, key) {
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
export async function checkSignature(token, key, subtle) {
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
export function checkTimes({ exp, nbf }, now) {
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
export function checkIssuer(iss, issuer) {
  if (iss === issuer) return passed("Issuer", `It is from ${issuer}.`);
  return failed("Issuer", `It is from ${show(iss)}, not from ${issuer}.`, "its issuer is another");
}

/**
 * RFC 7519 §4.1.3: one of those that it is for must be the expected one.
 *
 * @param {unknown} aud
 * @param {string} audience
 */
export function checkAudience(aud, audience) {
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
export function failed(what, says, reason) {
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
