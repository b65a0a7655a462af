/** What attackers make of tokens (RFC 8725). */

import { createHmac } from "node:crypto";
import { exportJWK, exportSPKI, generateKeyPair, importJWK, type JWK } from "jose";
import { base64url, makeClientKey, type Members } from "../tokens/signed.ts";

/** Whoever is not the client. */
export const stranger = await makeClientKey("k1");

export const ZERO_SIGNATURE = base64url(new Uint8Array(64)); // r = s = 0, which CVE-2022-21449 took
export const TRAVERSAL = [
  "../../../../dev/null",
  "/dev/null",
  "k1\0",
  "' OR '1'='1",
  "K1",
  "",
  "k1 ",
];

/** Headers that bring a key along, or say where one is (RFC 8725 §3.10). */
export const KEY_HEADERS: Record<string, Members> = {
  "jwk": { jwk: stranger.jwk },
  "jku": { jku: "http://127.0.0.1:1/keys" },
  "x5u": { x5u: "http://127.0.0.1:1/certificate" },
  "x5c": { x5c: ["AAAA"] },
};

/** Headers that no reader may pass over (RFC 7515 §4.1.11, RFC 7797). */
export const EXTENSIONS: Record<string, Members> = {
  "crit": { crit: ["x"], x: 1 },
  "an empty crit": { crit: [] },
  "crit of exp": { crit: ["exp"], exp: 1 },
  "b64": { b64: false, crit: ["b64"] },
  "b64 alone": { b64: true },
};

/** Header and payload with a MAC under this secret. */
export function mac(header: Members, payload: Members, secret: string | Uint8Array): string {
  const input = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

/** Every text that a public key may be taken for a secret in. */
export async function textsOf(jwk: JWK): Promise<(string | Uint8Array)[]> {
  const pem = await exportSPKI(await importJWK({ ...jwk, ext: true }, "ES256") as CryptoKey);
  const { kty, crv, x, y } = jwk;
  return [pem, pem.trim(), JSON.stringify(jwk), JSON.stringify({ kty, crv, x, y }), jwk.x!, ""];
}

/** What `change` makes of a token's three parts. */
export function parts(
  token: string,
  change: (parts: [string, string, string]) => string[],
): string {
  return change(token.split(".") as [string, string, string]).join(".");
}

/** Keys of the right form and another curve. */
const otherCurve = await generateKeyPair("ES384", {
  extractable: true,
});

export async function signByCurve(header: Members, claims: Members): Promise<string> {
  const input = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  const algorithm = { name: "ECDSA", hash: "SHA-384" };
  const bytes = new TextEncoder().encode(input);
  const signature = await crypto.subtle.sign(algorithm, otherCurve.privateKey as CryptoKey, bytes);
  return `${input}.${base64url(new Uint8Array(signature))}`;
}

/** The public half of that key. */
export const otherPublicJwk: JWK = await exportJWK(otherCurve.publicKey);
