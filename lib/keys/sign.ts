/** What a private key is for: it signs a payload, as a JWS in compact form (RFC 7515 §7.1). */

import { Buffer } from "node:buffer";
import { createPrivateKey, type JsonWebKeyInput, sign as signBytes } from "node:crypto";
import { CompactSign, importJWK, type JWK } from "jose";
import type { SigningAlgorithm } from "./algorithms.ts";

/** The protected header of a JWS. */
export interface SignedHeader {
  alg: SigningAlgorithm;
  kid?: string;
  typ?: string;
}

/** Signs a payload. */
export type Sign = (header: SignedHeader, payload: Uint8Array) => Promise<string>;

/**
 * Readies a private JWK for signing; the key cannot be had from what is given.
 *
 * @throws when the JWK is not a whole private key for the algorithm.
 */
export async function createSign(jwk: JWK, alg: SigningAlgorithm): Promise<Sign> {
  const key = await importJWK(jwk, alg, { extractable: false });
  if (key instanceof Uint8Array || key.type !== "private") {
    throw new TypeError("Cannot import a key: it is not a private key");
  }
  if (alg === "EdDSA") return createEd25519Sign(jwk);
  return (header, payload) => new CompactSign(payload).setProtectedHeader({ ...header }).sign(key);
}

/**
 * A signature by Ed25519 takes 20 µs. WebCrypto makes it on another thread, and the way there and
 * back takes longer than that on a busy machine.
 */
function createEd25519Sign(jwk: JWK): Sign {
  const key = createPrivateKey({ key: jwk, format: "jwk" } as JsonWebKeyInput);
  return function sign(header, payload) {
    const input = `${encode(JSON.stringify(header))}.${encode(payload)}`;
    const signature = signBytes(null, Buffer.from(input), key);
    return Promise.resolve(`${input}.${signature.toString("base64url")}`);
  };
}

function encode(part: string | Uint8Array): string {
  return Buffer.from(part as Uint8Array).toString("base64url");
}
