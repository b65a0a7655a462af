/** The public key of a client in a file: a JWK or PEM, checked before it is stored. */

import { createPublicKey } from "node:crypto";
import type { ClientKey } from "../accounts/client_records.ts";
import { PRIVATE_MEMBERS } from "../keys/algorithms.ts";
import { refused } from "../keys/key_refusal.ts";
import { type KeyOptions, toClientKey } from "../tokens/client_key.ts";

const PUBLIC_PEM = /-----BEGIN ((?:RSA )?PUBLIC KEY)-----[A-Za-z0-9+/=\s]*-----END \1-----/g;

/**
 * Reads a public key: a JWK (RFC 7517), or PEM in SPKI or PKCS #1.
 *
 * @throws {DomainError} `key_refused` as `toClientKey` does, and for what is no one public key. No
 * message quotes the key.
 */
export async function readPublicKey(text: string, options: KeyOptions): Promise<ClientKey> {
  const jwk = text.trimStart().startsWith("{") ? parseJwk(text) : parsePem(text);
  return await toClientKey(jwk, options);
}

function parseJwk(text: string): Record<string, unknown> {
  let json: Record<string, unknown>; // it begins with a brace
  try {
    json = JSON.parse(text.trim());
  } catch {
    throw refused("the file is not a JWK"); // the cause would quote the key
  }
  if ("keys" in json) throw refused("the file holds a JWK set", "give one public JWK a file");
  if (json.kty === "oct" || "k" in json) {
    throw refused(
      "it is a symmetric key",
      "a client keeps a private key and gives its public half",
    );
  }
  if (!PRIVATE_MEMBERS.some((name) => Object.hasOwn(json, name))) return json;
  const members = [...PRIVATE_MEMBERS, "key_ops"].map((name) => `.${name}`).join(", ");
  throw refused(
    "it is a private key",
    `export the public half: jq 'del(${members})' FILE > PUBLIC`,
  );
}

function parsePem(text: string): Record<string, unknown> {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    const hint = "export the public half: openssl pkey -in FILE -pubout -out PUBLIC";
    throw refused("it is a private key", hint);
  }
  if (/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/.test(text)) {
    const hint = "take the key out of it: openssl x509 -in FILE -pubkey -noout > PUBLIC";
    throw refused("the file holds a certificate", hint);
  }
  const [block, ...others] = [...text.matchAll(PUBLIC_PEM)];
  if (block === undefined) throw refused("the file is neither a JWK nor PEM of a public key");
  if (others.length > 0) throw refused("the file holds more than one public key");
  try {
    return { ...createPublicKey(block[0]).export({ format: "jwk" }) };
  } catch {
    throw refused(
      "it is damaged, or its type is not supported",
      "RSA, EC P-256, P-384 and P-521, and Ed25519 are",
    );
  }
}
