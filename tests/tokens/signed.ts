/** Tokens of any form, signed: what libraries would refuse to make, too. */

import { Buffer } from "node:buffer";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { numericDate } from "../../lib/base/clock.ts";
import { VerificationError, type VerificationReason } from "../../lib/tokens/verification_error.ts";
import { importVerificationKey, type VerificationKey } from "../../lib/tokens/verification_key.ts";
import { failureOf, type FakeClock } from "../support.ts";

/** A key pair for ES256 that a client may have. */
export interface ClientKey {
  privateKey: CryptoKey;
  /** Public members only. */
  jwk: JWK;
  privateJwk: JWK;
  verification: VerificationKey;
}

/** Any members, those that are `undefined` left out. */
export type Members = Record<string, unknown>;

export async function makeClientKey(kid?: string): Promise<ClientKey> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...await exportJWK(publicKey), ...(kid === undefined ? {} : { kid }) };
  return {
    privateKey: privateKey as CryptoKey,
    jwk,
    privateJwk: await exportJWK(privateKey),
    verification: await importVerificationKey(jwk),
  };
}

export function base64url(content: string | Uint8Array): string {
  return Buffer.from(content as string).toString("base64url");
}

/** Signs `payload`, an object or just these characters, with ES256, whatever the header says. */
export async function sign(
  header: Members | string,
  payload: Members | string,
  { privateKey }: { privateKey: CryptoKey },
): Promise<string> {
  const text = (part: Members | string) => typeof part === "string" ? part : JSON.stringify(part);
  const input = `${base64url(text(header))}.${base64url(text(payload))}`;
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const bytes = new TextEncoder().encode(input);
  const signature = await crypto.subtle.sign(algorithm, privateKey, bytes);
  return `${input}.${base64url(new Uint8Array(signature))}`;
}

/** The time of `clock` as claims tell it, `seconds` later. */
export function claimTime({ now }: FakeClock, seconds = 0): number {
  return numericDate(now) + seconds;
}

/** Why `work` is refused; fails when it is not, or by another error. */
export async function reasonOf(
  work: () => unknown,
  what?: string,
): Promise<VerificationReason> {
  const error = await failureOf(work, what);
  if (error instanceof VerificationError) return error.reason;
  throw error;
}
