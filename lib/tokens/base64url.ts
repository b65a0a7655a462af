/** Base64url (RFC 7515 §2) as it is written by who follows the rule: one text for one value. */

import { Buffer } from "node:buffer";

/**
 * The bytes that `text` stands for; `undefined` for any other than the one text without padding,
 * space, foreign characters and unused bits that are set (RFC 4648 §3.5).
 */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return undefined; // Deno 2.4 throws for those
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? new Uint8Array(bytes) : undefined;
}
