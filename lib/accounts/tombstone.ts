/** Names that were given once: what is kept of a deleted one is not the name. */

import type { ClientStorage } from "../storage/storage.ts";

/** HMAC with SHA-256 (RFC 2104), whose key has 32 random bytes. */
const HMAC = { name: "HMAC", hash: "SHA-256" } as const;
const KEY_BYTES = 32;

/**
 * The keyed hash of a username, the same in any case: whoever has only the hash cannot tell the name
 * by trying names. The key is made when it is first needed.
 *
 * @throws {DomainError} `storage_unavailable`; `database_unusable` when the key is lost.
 */
export async function hashName(storage: ClientStorage, username: string): Promise<Uint8Array> {
  const bytes = await storage.nameKey(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
  const key = await crypto.subtle.importKey("raw", new Uint8Array(bytes), HMAC, false, ["sign"]);
  const name = new TextEncoder().encode(username.toLowerCase());
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, name));
}
