/** Text that comes from elsewhere, made fit for a line that a person reads. */

/**
 * What a terminal obeys instead of showing, or what moves text about: control characters (C0, DEL,
 * C1), line and paragraph separators, and the marks that set a direction (Unicode TR #9).
 */
const UNSAFE =
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]/g;

/** `text` on one line, with nothing in it that a terminal would obey: those become `\u001b`. */
export function printable(text: string): string {
  return text.replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** `value` as JSON, with the same characters escaped: JSON itself lets most of them through. */
export function printableJson(value: unknown, indent?: number): string {
  const lines = JSON.stringify(value, null, indent).split("\n");
  return lines.map(printable).join("\n");
}

/** A sentence to go on after `error: `: its first letter small, unless it begins a name. */
export function lowerFirst(text: string): string {
  return /^[A-Z](?:[a-z]| )/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
