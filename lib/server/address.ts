/** Addresses that a server listens on, as URLs that a client can use. */

/** The addresses that mean every one of the machine (RFC 1122 §3.2.1.3, RFC 4291 §2.5.2). */
const EVERY_ADDRESS = new Set(["0.0.0.0", "::"]);

/** What a server's URL begins with: it speaks HTTPS when it has a certificate. */
export function schemeOf({ tls }: { tls: object | undefined }): "http" | "https" {
  return tls === undefined ? "http" : "https";
}

/** The URL of a server that listens on `host`; an IPv6 address stands in brackets (RFC 3986 §3.2.2). */
export function serverUrl(host: string, port: number, scheme = "http"): string {
  const name = EVERY_ADDRESS.has(host) ? "localhost" : host;
  return `${scheme}://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/** What a server on `port` calls itself when it is not told. */
export function defaultIssuer(config: { tls: object | undefined }, port: number): string {
  return `${schemeOf(config)}://localhost:${port}`;
}
