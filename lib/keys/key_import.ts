/** Private keys from elsewhere: PEM or JWK text, checked before they may join the key ring. */

import { createPrivateKey } from "node:crypto";
import {
  base64url,
  calculateJwkThumbprint,
  CompactSign,
  compactVerify,
  importJWK,
  type JWK,
} from "jose";
import { z } from "zod";
import { isSameBytes } from "../base/bytes.ts";
import { CommandError, EXIT } from "../base/errors.ts";
import {
  importSigningKey,
  isSigningAlgorithm,
  type PrivateJwk,
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
  toPublicJwk,
} from "./signing_key.ts";

/** The shortest RSA modulus that is accepted, in bits (RFC 7518 §3.3). */
const SHORTEST_RSA = 2048;

const DAMAGED = "it is damaged, or its halves do not belong together";

/** The algorithm of a key that does not name its own, by curve. */
const ALG_BY_CURVE: Record<string, SigningAlgorithm> = {
  "P-256": "ES256",
  "P-384": "ES384",
  "P-521": "ES512",
  "Ed25519": "EdDSA",
};

/** How the key is to be known; each overrides what the key itself says. */
export interface ImportOptions {
  kid?: string | undefined;
  alg?: string | undefined;
}

/** A checked private key with the `kid` that its verifiers know. */
export interface ImportedKey extends PrivateJwk {
  kid: string;
}

/**
 * Reads a private key: a JWK (RFC 7517), or PEM in PKCS #8, PKCS #1 or SEC 1.
 *
 * @throws {CommandError} for a public key, an unknown type, a weak key, and a key whose halves do
 * not belong together. No message quotes the key.
 */
export async function readPrivateKey(text: string, options: ImportOptions): Promise<ImportedKey> {
  const jwk = text.trimStart().startsWith("{") ? parseJwk(text) : parsePem(text);
  const alg = algorithmOf(jwk, options.alg);
  assertStrong(jwk);
  const members = canonical(jwk);
  const kid = options.kid ?? jwk.kid ?? await calculateJwkThumbprint(members);
  if (!/^[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?$/.test(kid)) {
    throw refuse(
      "its kid is not 1 to 128 printable ASCII characters",
      "name another one with --kid",
    );
  }
  const key: ImportedKey = { ...members, kid, alg };
  await assertUsable(key);
  return key;
}

function refuse(reason: string, hint?: string): CommandError {
  return new CommandError(EXIT.failed, `the key is refused: ${reason}`, hint ? [hint] : []);
}

function parseJwk(text: string): JWK {
  let jwk: JWK;
  try {
    jwk = z.looseObject({ kid: z.string().optional() }).parse(JSON.parse(text)) as JWK;
  } catch {
    throw refuse("the file is not a JWK");
  }
  if ("keys" in jwk) throw refuse("the file holds a JWK set", "give one private JWK a file");
  if (jwk.use !== undefined && jwk.use !== "sig") throw refuse(`its use is not "sig"`);
  if (jwk.kty === "oct") throw refuse("it is a symmetric key");
  if (!("d" in jwk || "priv" in jwk)) throw refuse("it has no private half");
  return jwk;
}

function parsePem(text: string): JWK {
  if (/-----BEGIN (RSA )?PUBLIC KEY-----/.test(text)) throw refuse("it has no private half");
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw refuse("the file is neither a JWK nor PEM of a private key");
  }
  if (/ENCRYPTED/.test(text)) {
    throw refuse("it is encrypted", "decrypt it first: openssl pkey -in FILE -out PLAIN");
  }
  try {
    return createPrivateKey(text).export({ format: "jwk" }) as JWK;
  } catch {
    throw refuse(
      "its type is not supported",
      "RSA, EC P-256, P-384 and P-521, and Ed25519 are; PKCS #8 is read everywhere",
    );
  }
}

function algorithmOf(jwk: JWK, wanted: string | undefined): SigningAlgorithm {
  const fallback = jwk.kty === "RSA" ? "RS256" : ALG_BY_CURVE[jwk.crv ?? ""];
  const alg = wanted ?? (jwk.alg === "Ed25519" ? "EdDSA" : jwk.alg) ?? fallback;
  const known = Object.keys(SIGNING_ALGORITHMS).join(", ");
  if (!isSigningAlgorithm(alg)) {
    throw refuse("its type or algorithm is not supported", `supported are ${known}`);
  }
  if (SIGNING_ALGORITHMS[alg] !== jwk.kty) {
    throw refuse(`a key of type ${jwk.kty} is not for ${alg}`);
  }
  return alg;
}

function assertStrong(jwk: JWK): void {
  if (jwk.kty !== "RSA") return;
  const modulus = significantBytes(jwk.n ?? "");
  const bits = Math.max(modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24, 0);
  if (bits >= SHORTEST_RSA) return;
  throw refuse(`RSA of ${bits} bits is too weak; ${SHORTEST_RSA} is the least`);
}

/** A number in base64url without the zero bytes that some writers put in front of it. */
function significantBytes(text: string): Uint8Array {
  try {
    const bytes = base64url.decode(text);
    return bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  } catch {
    throw refuse("it holds a number that is not base64url");
  }
}

/**
 * Only what makes up the key, in its one canonical form, so that a key is known again: what else a
 * JWK carries (`use`, `x5c`, …) is not ours to keep.
 */
function canonical(jwk: JWK): JWK {
  if (jwk.kty === "AKP") return { kty: "AKP", ...pick(jwk, ["alg", "pub", "priv"]) };
  const members = pick(jwk, ["kty", "crv", "n", "e", "d", "p", "q", "dp", "dq", "qi", "x", "y"]);
  let exported: JWK;
  try {
    exported = createPrivateKey({ key: members, format: "jwk" }).export({ format: "jwk" }) as JWK;
  } catch {
    throw refuse(DAMAGED);
  }
  // The public half may have been made from the private one, whatever was given.
  for (const name of ["n", "e", "x", "y"] as const) {
    const [given, made] = [jwk[name], exported[name]].map((text) => significantBytes(text ?? ""));
    if (!isSameBytes(given!, made!)) throw refuse(DAMAGED);
  }
  return exported;
}

function pick(jwk: JWK, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => {
    const value = jwk[name as keyof JWK];
    return typeof value === "string" ? [[name, value]] : [];
  }));
}

/** Signs with the one half and verifies with the other. */
async function assertUsable(key: ImportedKey): Promise<void> {
  const probe = new TextEncoder().encode("jwks-server");
  try {
    const { privateKey } = await importSigningKey(key);
    const publicKey = await importJWK(toPublicJwk(key, key.kid, key.alg), key.alg);
    const jws = await new CompactSign(probe).setProtectedHeader({ alg: key.alg }).sign(privateKey);
    await compactVerify(jws, publicKey);
  } catch {
    throw refuse(DAMAGED);
  }
}
