/** HTTP Basic (RFC 7617). */

import type { Credentials } from "../accounts/accounts.ts";
import { decodeUtf8 } from "../base/bytes.ts";
import { invalid } from "./parsed_body.ts";

/**
 * The credentials of HTTP Basic (RFC 7617 §2); `undefined` when another scheme or none is used.
 *
 * @throws {DomainError} `invalid_request` when they are malformed.
 */
export function readBasic(authorization: string | null): Credentials | undefined {
  const [isBasic, encoded = ""] = /^basic(?: +(.*))?$/i.exec(authorization ?? "") ?? [];
  if (isBasic === undefined) return undefined;
  let text: string;
  try {
    text = decodeUtf8(decodeBase64(encoded));
  } catch {
    throw invalid("The Authorization header is not Basic in base64 of UTF-8");
  }
  const colon = text.indexOf(":");
  if (colon < 1 || colon === text.length - 1) {
    throw invalid("The Authorization header lacks the username or the password");
  }
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** @throws {SyntaxError} for anything but base64; decoders pass over white space in it. */
function decodeBase64(text: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw new SyntaxError("Cannot decode base64");
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
