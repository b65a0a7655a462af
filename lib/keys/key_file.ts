/** The text of a key file: a JWK or PEM, taken apart; what the key is worth is asked elsewhere. */

import { createPrivateKey } from "node:crypto";
import type { JWK } from "jose";
import { z } from "zod";
import { refused } from "./key_refusal.ts";

/** The members that are read before the key's type is known (RFC 7517 §4). */
const JWK_MEMBERS = z.looseObject({
  kty: z.string(),
  kid: z.string().optional(),
  alg: z.string().optional(),
  crv: z.string().optional(),
  use: z.string().optional(),
  key_ops: z.array(z.string()).optional(),
});

const PRIVATE_PEM = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[^-]*-----END \1PRIVATE KEY-----/g;

/**
 * Reads a private JWK (RFC 7517), or a private key in PEM: PKCS #8, PKCS #1 or SEC 1.
 *
 * @throws {DomainError} `key_refused` for what is no private key, or not one that may sign.
 */
export function parsePrivateKey(text: string): JWK {
  return text.trimStart().startsWith("{") ? parseJwk(text) : parsePem(text);
}

function parseJwk(text: string): JWK {
  const jwk = parseMembers(text);
  if (jwk.kty === "oct") throw refused("it is a symmetric key");
  if (!("d" in jwk || "priv" in jwk)) throw refused("it has no private half");
  if (jwk.use !== undefined && jwk.use !== "sig") throw refused('its use is not "sig"');
  assertSigns(jwk.key_ops);
  return jwk as JWK;
}

function parseMembers(text: string): z.infer<typeof JWK_MEMBERS> {
  let json: object; // it begins with a brace
  try {
    json = JSON.parse(text);
  } catch {
    throw refused("the file is not a JWK"); // the cause would quote the key
  }
  if ("keys" in json) throw refused("the file holds a JWK set", "give one private JWK a file");
  const { data, error } = JWK_MEMBERS.safeParse(json);
  if (data !== undefined) return data;
  const name = error.issues[0]?.path[0];
  const kind = name === "key_ops" ? "an array of strings" : "a string";
  throw refused(`the file is not a JWK: its ${String(name)} is not ${kind}`);
}

/** What a key says that it is for (RFC 7517 §4.3). */
function assertSigns(operations: readonly string[] | undefined): void {
  if (operations === undefined) return;
  if (!operations.includes("sign")) throw refused('its key_ops lack "sign"');
  if (new Set(operations).size < operations.length) throw refused("its key_ops repeat themselves");
}

function parsePem(text: string): JWK {
  if (/ENCRYPTED/.test(text)) {
    throw refused("it is encrypted", "decrypt it first: openssl pkey -in FILE -out PLAIN");
  }
  const blocks = [...text.matchAll(PRIVATE_PEM)];
  if (blocks.length > 1) throw refused("the file holds more than one private key");
  const [block] = blocks;
  if (block !== undefined) return parseBlock(block[0]);
  if (/-----BEGIN [A-Z ]*PUBLIC KEY-----/.test(text)) throw refused("it has no private half");
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw refused("the PEM ends too early");
  throw refused("the file is neither a JWK nor PEM of a private key");
}

function parseBlock(pem: string): JWK {
  try {
    return createPrivateKey(pem).export({ format: "jwk" }) as JWK;
  } catch { // the cause may quote the key
    throw refused(
      "it is damaged, or its type is not supported",
      "RSA, EC P-256, P-384 and P-521, and Ed25519 are; PKCS #8 is read everywhere",
    );
  }
}
