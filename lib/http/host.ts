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

const WRONG_HOST = "The Host header is not valid";
const WRONG_TARGET = "The request target is not valid";

/** Looks at what a request says of the server that it is for. */
export class HostCheck {
  /** What was found valid last: the next request most likely says the same. */
  #valid: { host: string | null; start: string } = { host: null, start: "" };

  /**
   * What is wrong with how a request names this server, in a Host header (RFC 9112 §3.2) or as the
   * authority of HTTP/2 (RFC 9113 §8.3.1), which Deno tells in the URL alone.
   *
   * @param fallbacks the authorities that Deno gives a request that has none.
   */
  refusalOf({ url, headers }: Request, fallbacks: readonly string[]): string | undefined {
    const stated = headers.get("host");
    const { host: known, start } = this.#valid;
    if (stated !== null && stated === known && url.startsWith(start)) return undefined;
    // The header first: the URL that is made of a wrong one is no sign of a wrong target.
    if (stated !== null && !isValidHost(stated)) return WRONG_HOST;
    const authority = authorityOf(url);
    if (authority === undefined) return WRONG_TARGET;
    if (stated === null && fallbacks.includes(authority)) return WRONG_HOST;
    if (!isValidHost(authority)) return stated === null ? WRONG_HOST : WRONG_TARGET;
    this.#valid = {
      host: stated,
      start: url.slice(0, url.indexOf(authority) + authority.length + 1),
    };
    return undefined;
  }
}
