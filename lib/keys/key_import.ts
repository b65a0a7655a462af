/** Private keys from elsewhere, checked before they may join the key ring. */

import { createPrivateKey } from "node:crypto";
import { base64url, calculateJwkThumbprint, compactVerify, importJWK, type JWK } from "jose";
import { isSameBytes } from "../base/bytes.ts";
import {
  ALGORITHM_NAMES,
  algorithmsFor,
  privateMembers,
  publicMembers,
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
} from "./algorithms.ts";
import { parsePrivateKey } from "./key_file.ts";
import { DAMAGED, refused } from "./key_refusal.ts";
import { validateRsaKey } from "./rsa_key.ts";
import { importSigningKey, isSupported, type PrivateJwk } from "./signing_key.ts";

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
 * Reads a private key: a JWK (RFC 7517), or PEM in PKCS #8, PKCS #1 or SEC 1. Without a `kid` of
 * its own it is known by its thumbprint.
 *
 * @throws {DomainError} `key_refused` for a public key, one of an unknown type or for another use,
 * a weak key, and a key whose halves do not belong together. No message quotes the key.
 */
export async function readPrivateKey(text: string, options: ImportOptions): Promise<ImportedKey> {
  const jwk = parsePrivateKey(text);
  const alg = algorithmOf(jwk, options.alg);
  const members = { ...canonical(jwk, alg), alg };
  const kid = options.kid ?? jwk.kid ?? await derivedKid(members);
  if (!/^[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?$/.test(kid)) {
    throw refused(
      "its kid is not 1 to 128 printable ASCII characters",
      "name another one with --kid",
    );
  }
  const key: ImportedKey = { ...members, kid };
  await assertUsable(key);
  return key;
}

/** What is asked for, else what the key says, else what its type and curve are mostly for. */
function algorithmOf(jwk: JWK, wanted: string | undefined): SigningAlgorithm {
  const fitting = algorithmsFor({ ...jwk, alg: jwk.alg ?? wanted });
  const named = wanted ?? jwk.alg ?? fitting[0];
  const name = named === "Ed25519" ? "EdDSA" : named; // RFC 9864 §2.2
  const alg = ALGORITHM_NAMES.find((known) => known === name);
  if (alg === undefined || fitting.length === 0) {
    throw refused(
      "its type or algorithm is not supported",
      `supported are ${ALGORITHM_NAMES.join(", ")}`,
    );
  }
  if (fitting.includes(alg)) return alg;
  const { crv } = SIGNING_ALGORITHMS[fitting[0]!];
  const kind = crv === undefined ? `of type ${jwk.kty}` : `on ${crv}`;
  throw refused(`a key ${kind} is not for ${alg}, but for ${fitting.join(", ")}`);
}

/**
 * The thumbprint (RFC 7638), with `_` for a `-` in front: command lines take that for an option.
 */
async function derivedKid(jwk: JWK): Promise<string> {
  return (await calculateJwkThumbprint(jwk)).replace(/^-/, "_");
}

/**
 * Only what makes up the key, in its one canonical form, so that a key is known again: what else a
 * JWK carries (`use`, `x5c`, …) is not ours to keep.
 */
function canonical(jwk: JWK, alg: SigningAlgorithm): JWK {
  const { kty } = SIGNING_ALGORITHMS[alg];
  if (kty === "RSA") return validateRsaKey(jwk);
  const names = [...publicMembers(kty), ...privateMembers(kty)];
  const lacking = names.find((name) => typeof jwk[name] !== "string");
  if (lacking !== undefined) throw refused(`its ${lacking} is missing or not a string`);
  const members = { kty, ...Object.fromEntries(names.map((name) => [name, jwk[name]])) };
  return kty === "AKP" ? members : exported(members);
}

/** The key as the library writes it, once it is certain that this is the key that was given. */
function exported(given: JWK): JWK {
  try {
    const made = createPrivateKey({ key: given, format: "jwk" }).export({ format: "jwk" }) as JWK;
    // The public half may have been made from the private one, whatever was given.
    const isSame = isSameNumber(given.x, made.x) && isSameNumber(given.y, made.y);
    if (isSame) return made;
  } catch {
    // Refused as well, without the library's words: they may quote the key.
  }
  throw refused(DAMAGED);
}

/** Whether two numbers in base64url are one, whatever zero bytes stand in front of them. */
function isSameNumber(...texts: [one: string | undefined, other: string | undefined]): boolean {
  const [one, other] = texts.map((text = "") => {
    const bytes = base64url.decode(text);
    return bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  });
  return isSameBytes(one!, other!);
}

/** Signs with the one half and verifies with the other. */
async function assertUsable(key: ImportedKey): Promise<void> {
  if (!await isSupported(key.alg)) {
    throw refused(`this runtime (Deno ${Deno.version.deno}) lacks ${key.alg}`);
  }
  const probe = new TextEncoder().encode("jwks-server");
  try {
    const { sign, publicJwk } = await importSigningKey(key);
    const jws = await sign({ alg: key.alg }, probe);
    await compactVerify(jws, await importJWK(publicJwk, key.alg));
  } catch {
    throw refused(DAMAGED);
  }
}
