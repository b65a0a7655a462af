/** The forms of text that stand in a policy. */

/** A scope-token (RFC 6749 §3.3): printable ASCII without space, quotation mark and backslash. */
export const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/** A scheme and what follows (RFC 3986 §3). */
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7E]+$/;

/** Whether a text is a StringOrURI (RFC 7519 §2) that can be written and read: no control in it. */
export function isStringOrUri(text: string): boolean {
  return text.includes(":") ? URI.test(text) : /^[^\p{Cc}\p{Cs}]+$/u.test(text);
}
