/** Argon2id hashes of passwords as PHC strings, taken apart. */

import { Buffer } from "node:buffer";
import { type Argon2Cost, Argon2CostSchema } from "../base/argon2_cost.ts";

/** What a PHC string of Argon2id says. */
export interface Phc {
  cost: Argon2Cost;
  salt: Uint8Array;
  digest: Uint8Array;
}

const FORM =
  /^\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** Bytes of a salt: RFC 9106 §3.1 wants 8 at least. */
const SALT_BYTES = { least: 8, most: 64 };

/** Bytes of a digest; fewer than 16 could be guessed. */
const DIGEST_BYTES = { least: 16, most: 64 };

/** Takes a PHC string apart; `undefined` when it is none of Argon2id, or asks for too much. */
export function parsePhc(text: string): Phc | undefined {
  const [, memoryKib, passes, lanes, salt = "", digest = ""] = FORM.exec(text) ?? [];
  const cost = Argon2CostSchema.safeParse({
    memoryKib: Number(memoryKib),
    passes: Number(passes),
    lanes: Number(lanes),
  }).data;
  const saltBytes = decode(salt, SALT_BYTES);
  const digestBytes = decode(digest, DIGEST_BYTES);
  if (!cost || !saltBytes || !digestBytes) return undefined;
  return { cost, salt: saltBytes, digest: digestBytes };
}

/** Base64 without padding; `undefined` when it is not canonical or has another length. */
function decode(text: string, { least, most }: typeof SALT_BYTES): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  const isCanonical = bytes.toString("base64").replace(/=+$/, "") === text;
  return isCanonical && bytes.length >= least && bytes.length <= most ? bytes : undefined;
}
