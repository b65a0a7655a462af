/** Forms that commands give to what they say. */

/** A sentence from elsewhere, to go on after `error: `. */
export function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** The URL of a server; an IPv6 address stands in brackets (RFC 3986 §3.2.2). */
export function serverUrl(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
