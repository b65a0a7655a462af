// @ts-check
/** A token taken apart, with nothing about it verified (RFC 7515 §7.1). */

/** @typedef {Record<string, unknown>} Members */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{header: Members, claims: Members, signed: Bytes, signature: Bytes}} Token */

/** What is no token; the message is a sentence that says why. */
export class Malformed extends Error {}

/**
 * @param {string} text a JWS in compact form
 * @returns {Token}
 * @throws {Malformed}
 */
export function decodeToken(text) {
  const parts = text.split(".");
  if (parts.length !== 3) {
    throw new Malformed(
      `A token has three parts with dots between them; this has ${parts.length}.`,
    );
  }
  const [head, payload, signature] = /** @type {[string, string, string]} */ (parts);
  const header = readObject(head, "header");
  if ("crit" in header) {
    throw new Malformed("The header asks for an extension that is not understood here (crit)."); // RFC 7515 §4.1.11
  }
  return {
    header,
    claims: readObject(payload, "payload"),
    signed: new TextEncoder().encode(`${head}.${payload}`),
    signature: fromBase64url(signature, "signature"),
  };
}

/**
 * The same token for another subject, under the signature that it had.
 *
 * @param {string} text
 * @returns {string}
 * @throws {Malformed}
 */
export function tamperedToken(text) {
  const { claims } = decodeToken(text);
  const [header, , signature] = text.split(".");
  const changed = { ...claims, sub: claims.sub === "admin" ? "root" : "admin" };
  const bytes = new TextEncoder().encode(JSON.stringify(changed));
  return `${header}.${toBase64url(bytes)}.${signature}`;
}

/**
 * @param {string} text
 * @param {string} part its name
 * @returns {Members}
 */
function readObject(text, part) {
  const bytes = fromBase64url(text, part);
  let value;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Malformed(`The ${part} is not JSON.`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new Malformed(`The ${part} is not a JSON object.`);
}

/**
 * Base64url without padding (RFC 7515 §2).
 *
 * @param {string} text
 * @param {string} part its name
 * @returns {Bytes}
 */
function fromBase64url(text, part) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) {
    throw new Malformed(`The ${part} is not base64url.`);
  }
  const characters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(characters, (character) => character.charCodeAt(0));
}

/** @param {Bytes} bytes */
function toBase64url(bytes) {
  const characters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(characters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
