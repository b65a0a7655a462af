/** How a request names the server: in a Host header, or as an authority. */

/**
 * Whether a Host header is one host with an optional port (RFC 9110 §7.2). Deno builds the URL of a
 * request from it, so that `Host: x/auth?` would otherwise choose the route.
 */
export function isValidHost(host: string | null): boolean {
  return host !== null &&
    /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/.test(host) &&
    URL.canParse(`http://${host}/`);
}

/**
 * The authority in a request's URL, when a path follows right after it. A target in absolute form
 * (RFC 9112 §3.2.2) stands in for the Host header, and `http://x?/auth` has `/auth` in its query.
 */
export function authorityOf(url: string): string | undefined {
  return /^https?:\/\/([A-Za-z0-9._~:[\]-]+)\//.exec(url)?.[1];
}

/** The authorities that Deno gives requests to a listener on this address that have none. */
export function fallbacksOf({ hostname, port }: Deno.NetAddr): string[] {
  const isOwn = ["::", "::1", "0.0.0.0"].includes(hostname) || hostname.startsWith("127.");
  const name = isOwn ? "localhost" : hostname.includes(":") ? `[${hostname}]` : hostname;
  return [name, `${name}:${port}`];
}
