/** Public Ed25519 keys, checked before a cryptographic library sees them. */

import { Buffer } from "node:buffer";
import { VerificationError } from "./verification_error.ts";

/**
 * The points whose order divides 8 (RFC 7748 §7), in every encoding, with the sign bit cleared.
 * Under such a key anybody can sign, and one signature may fit any text; Deno's WebCrypto takes it.
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  `00${"00".repeat(31)}`, // order 4
  `01${"00".repeat(31)}`, // order 1
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
  `ec${"ff".repeat(30)}7f`, // order 2
  `ed${"ff".repeat(30)}7f`, // order 4, written as p
  `ee${"ff".repeat(30)}7f`, // order 1, written as p + 1
]);

/** @throws {VerificationError} `key` for a key under which anybody can sign. */
export function assertEd25519PublicKey(point: Uint8Array): void {
  const unsigned = point.with(-1, point.at(-1)! & 0x7f);
  if (!SMALL_ORDER.has(Buffer.from(unsigned).toString("hex"))) return;
  throw new VerificationError("key", "the key is refused: anybody can sign with it");
}
