/** The rate limit as middleware: it decides before anything of the body is read. */

import type { MiddlewareHandler } from "hono";
import type { ClientAddress } from "./client_address.ts";
import { RequestError } from "../base/errors.ts";
import { errorResponse } from "./response.ts";
import type { SlidingWindow } from "../limits/sliding_window.ts";

/** What the server tells the handlers about a request, and what they tell each other. */
export interface AppEnv {
  Bindings: { remoteAddr: { hostname: string } };
  Variables: { client: ClientAddress };
}

export interface RateLimitOptions {
  /** The name of the policy in the `RateLimit` headers. */
  name: string;
  window: SlidingWindow;
  clientAddress: (peer: string, forwardedFor: string | null) => ClientAddress;
}

/**
 * Limits a route's requests by client, sets `client` for the handler, and tells the client where it
 * stands (`RateLimit` and `RateLimit-Policy`, draft-ietf-httpapi-ratelimit-headers).
 */
export function rateLimit(options: RateLimitOptions): MiddlewareHandler<AppEnv> {
  const { name, window, clientAddress } = options;
  const policy = `"${name}";q=${window.limit};w=${wholeSeconds(window.window)}`;

  return async function rateLimit(context, next) {
    const peer = context.env.remoteAddr.hostname;
    const client = clientAddress(peer, context.req.raw.headers.get("x-forwarded-for"));
    const admission = window.admit(client.network);
    if (admission.admitted) {
      context.set("client", client);
      await next();
    } else {
      const retryAfter = wholeSeconds(admission.retryIn);
      context.res = errorResponse(
        new RequestError("rate_limited", `At most ${limitInWords(window)}`, retryAfter),
      );
    }
    const reset = wholeSeconds(admission.resetIn);
    context.res.headers.set("RateLimit-Policy", policy);
    context.res.headers.set("RateLimit", `"${name}";r=${admission.remaining};t=${reset}`);
  };
}

function limitInWords({ limit, window }: SlidingWindow): string {
  return `${limit} requests in ${wholeSeconds(window)} s are admitted`;
}

function wholeSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}
