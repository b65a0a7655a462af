/** What stands in the place of a password's hash for a client that has keys alone. */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { Argon2Cost } from "../../base/argon2_cost.ts";
import { parsePhc } from "../phc.ts";

const SALT_BYTES = 16;

/** What the digest is made of, before the salt. */
const LABEL = "jwks-server: no password";

/**
 * A PHC string of Argon2id that is no password's: its digest is the SHA-256 of its salt, and to find
 * a password for that would be to invert Argon2. Checking one against it is the usual work.
 */
export function noPasswordHash({ memoryKib, passes, lanes }: Argon2Cost): string {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const encoded = [salt, digestOf(salt)].map((bytes) => Buffer.from(bytes).toString("base64"));
  const fields = encoded.map((text) => text.replace(/=+$/, "")).join("$");
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${fields}`;
}

/** Whether a hash is such a one. */
export function isNoPassword(hash: string): boolean {
  const phc = parsePhc(hash);
  if (phc === undefined) return false;
  const digest = digestOf(phc.salt);
  return phc.digest.length === digest.length && timingSafeEqual(phc.digest, digest);
}

function digestOf(salt: Uint8Array): Uint8Array {
  return createHash("sha256").update(LABEL).update(salt).digest();
}
