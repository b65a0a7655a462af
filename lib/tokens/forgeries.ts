/** The ways in which a test token is signed as no honest one is. */

import { base64url, CompactSign } from "jose";
import { type SigningKey, toPublicPem } from "../keys/signing_key.ts";
import type { ForeignKey } from "./foreign_keys.ts";
import { encodePayload } from "./token_payload.ts";

/** A token that nobody has signed yet. */
export interface Draft {
  kid: string;
  typ: string;
  claims: Readonly<Record<string, unknown>>;
}

export interface ForgeryParts {
  /** The key that ought to sign. */
  signer: Pick<SigningKey, "alg" | "kid" | "sign" | "publicJwk">;
  foreignKey: ForeignKey;
}

/** A token in compact form, and which header it was given. */
export interface Forged {
  token: string;
  alg: string;
  kid: string;
}

export type Forge = (draft: Draft, parts: ForgeryParts) => Promise<Forged>;

/** As an honest token is. */
export const signTruly: Forge = async ({ typ, claims }, { signer: { alg, kid, sign } }) => {
  return { token: await sign({ alg, kid, typ }, encodePayload(claims)), alg, kid };
};

/** By an unpublished key, under its own kid. */
export const signAsStranger: Forge = async ({ typ, claims }, { signer: { alg }, foreignKey }) => {
  const { kid, sign } = await foreignKey(alg);
  return { token: await sign({ alg, kid, typ }, encodePayload(claims)), alg, kid };
};

/** By an unpublished key, under the kid of the published one. */
export const signAsImpostor: Forge = async ({ kid, typ, claims }, { signer, foreignKey }) => {
  const { alg } = signer;
  const { sign } = await foreignKey(alg);
  return { token: await sign({ alg, kid, typ }, encodePayload(claims)), alg, kid };
};

/** Truly, and then another `jti` is put in: what stands there is a token in all but its signature. */
export const tamper: Forge = async (draft, parts) => {
  const { token, ...header } = await signTruly(draft, parts);
  const [head, , signature] = token.split(".");
  const claims = { ...draft.claims, jti: crypto.randomUUID() };
  return { ...header, token: `${head}.${encode(claims)}.${signature}` };
};

/** Not at all (RFC 7515 appendix A.5). */
export const leaveUnsigned: Forge = ({ kid, typ, claims }) => {
  const alg = "none";
  return Promise.resolve({ token: `${encode({ alg, kid, typ })}.${encode(claims)}.`, alg, kid });
};

/**
 * By HMAC under what everybody knows: the text of the public key's PEM, its last newline included,
 * as OpenSSL writes it to a file (RFC 8725 §2.1).
 */
export const signByPublicKey: Forge = async ({ kid, typ, claims }, { signer }) => {
  const alg = "HS256";
  const secret = new TextEncoder().encode(await toPublicPem(signer.publicJwk));
  const unsigned = new CompactSign(encodePayload(claims)).setProtectedHeader({ alg, kid, typ });
  return { token: await unsigned.sign(secret), alg, kid };
};

function encode(part: Readonly<Record<string, unknown>>): string {
  return base64url.encode(encodePayload(part));
}
