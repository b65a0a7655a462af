/**
 * Tokens that are wrong in one way, for who tests a verifier: what is wrong with each, and what a
 * right verifier makes of it.
 */

import {
  type Forge,
  leaveUnsigned,
  signAsImpostor,
  signAsStranger,
  signByPublicKey,
  signTruly,
  tamper,
} from "./forgeries.ts";

/** How far in the past or ahead a wrong time is, in seconds: more than any usual leeway. */
export const WRONG_BY = 600;

/** Names under `.invalid` belong to nobody (RFC 6761 §6.4). */
const OTHER_AUDIENCE = "https://wrong-audience.invalid";
const OTHER_ISSUER = "https://wrong-issuer.invalid";

/** When a token is made, and how long it would live, in seconds. */
export interface Moment {
  now: number;
  life: number;
}

/** A way in which a token is wrong; all else about it is right. */
export interface Defect {
  /** What is wrong, as a sentence for people. */
  fault: string;
  /** What a right verifier does, as a sentence for people. */
  verdict: string;
  /** The claims that it decides on, which nothing else of a request may name. */
  claims: readonly string[];
  /** What these claims say, where they are wrong before the token is signed. */
  makeClaims?: (moment: Moment) => Readonly<Record<string, unknown>>;
  forge: Forge;
}

const TABLE = {
  "expired": {
    fault: "exp is ten minutes ago; the key that signed it is published",
    verdict: "refuses it: it is expired (RFC 7519 §4.1.4)",
    claims: ["iat", "exp"],
    makeClaims: ({ now, life }) => ({ iat: now - WRONG_BY - life, exp: now - WRONG_BY }),
    forge: signTruly,
  },
  "not-yet-valid": {
    fault: "nbf is ten minutes ahead",
    verdict: "refuses it: it is not valid yet (RFC 7519 §4.1.5)",
    claims: ["nbf", "exp"],
    makeClaims: ({ now, life }) => ({ nbf: now + WRONG_BY, exp: now + WRONG_BY + life }),
    forge: signTruly,
  },
  "unknown-kid": {
    fault: "its kid is that of a key that is not in the JWK set, which also signed it",
    verdict:
      "fetches the JWK set again, at most once in a while, and refuses it: the key is unknown",
    claims: [],
    forge: signAsStranger,
  },
  "wrong-key": {
    fault: "its kid is that of a published key; another key for the same algorithm signed it",
    verdict: "refuses it: the signature does not verify (RFC 7515 §5.2)",
    claims: [],
    forge: signAsImpostor,
  },
  "wrong-audience": {
    fault: `aud is ${OTHER_AUDIENCE}`,
    verdict: "refuses it: it is for another service (RFC 7519 §4.1.3)",
    claims: ["aud"],
    makeClaims: () => ({ aud: OTHER_AUDIENCE }),
    forge: signTruly,
  },
  "wrong-issuer": {
    fault: `iss is ${OTHER_ISSUER}; the key that signed it is published here`,
    verdict: "refuses it: the key belongs to another issuer (RFC 8725 §3.8)",
    claims: ["iss"],
    makeClaims: () => ({ iss: OTHER_ISSUER }),
    forge: signTruly,
  },
  "tampered": {
    fault: "jti was changed after it was signed",
    verdict: "refuses it: the signature does not verify (RFC 7515 §5.2)",
    claims: ["jti"],
    forge: tamper,
  },
  "alg-none": {
    fault: "alg is none, and there is no signature",
    verdict: "refuses it: it is not signed (RFC 8725 §3.2)",
    claims: [],
    forge: leaveUnsigned,
  },
  "hs256-with-public-key": {
    fault: "alg is HS256, with the text of the published key's PEM as the shared secret",
    verdict: "refuses it: the published key is for another algorithm (RFC 8725 §2.1, §3.1)",
    claims: [],
    forge: signByPublicKey,
  },
} as const satisfies Record<string, Defect>;

export type DefectName = keyof typeof TABLE;

/** Every defect by its name. */
export const DEFECTS: Readonly<Record<DefectName, Defect>> = TABLE;

export const DEFECT_NAMES = Object.keys(TABLE) as readonly DefectName[];
