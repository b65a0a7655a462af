/** Byte strings. */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

/** Whether two byte strings are the same. Not for secrets: it ends at the first difference. */
export function isSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && Buffer.compare(one, other) === 0;
}

/**
 * Everything that `source` gives, or `undefined` when that is more than `limit` bytes: an endless
 * source is left after the first byte too many.
 */
export async function readAtMost(
  limit: number,
  source: ReadableStream<Uint8Array>,
): Promise<Uint8Array | undefined> {
  const whole = new Uint8Array(limit);
  let size = 0;
  for await (const chunk of source) {
    if (size + chunk.length > limit) return undefined; // leaving the loop cancels the stream
    whole.set(chunk, size);
    size += chunk.length;
  }
  return whole.subarray(0, size);
}

/** `bytes` as text. @throws {TypeError} when they are not UTF-8: no character stands for bad ones. */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** The strong entity tag of a content, quoted: it changes with each byte (RFC 9110 §8.8.3). */
export function entityTag(content: string | Uint8Array): string {
  return `"${createHash("sha256").update(content).digest("base64url")}"`;
}
