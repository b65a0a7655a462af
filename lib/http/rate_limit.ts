/** The rate limit as middleware: it decides before anything of the body is read. */

import type { MiddlewareHandler } from "hono";
import { DomainError } from "../base/errors.ts";
import type { Limiter } from "../limits/limiter.ts";
import type { FindClient } from "./client_address.ts";
import type { AppEnv } from "./environment.ts";
import type { Observer } from "./observer.ts";
import { errorResponse } from "./response.ts";

export interface RateLimitOptions {
  /** The name of the policy in the `RateLimit` headers. */
  name: string;
  limiter: Limiter;
  findClient: FindClient;
  /** Is told of each request that is over the limit. */
  observer?: Pick<Observer, "limited"> | undefined;
}

/**
 * Limits a route's requests by client, sets `client` for whoever handles or logs it, and tells the client where it
 * stands (`RateLimit` and `RateLimit-Policy`, draft-ietf-httpapi-ratelimit-headers).
 */
export function rateLimit(
  { name, limiter, findClient, observer }: RateLimitOptions,
): MiddlewareHandler<AppEnv> {
  const policy = `"${name}";q=${limiter.limit};w=${wholeSeconds(limiter.window)}`;

  return async function rateLimit(context, next) {
    const peer = context.env.remoteAddr.hostname;
    const client = findClient(peer, context.req.raw.headers.get("x-forwarded-for"));
    context.set("client", client);
    const admission = await limiter.admit(client.network);
    if (admission.admitted) {
      await next();
    } else {
      observer?.limited(context.req.raw);
      context.res = errorResponse(
        new DomainError("rate_limited", `At most ${limitInWords(limiter)}`, {
          retryAfter: wholeSeconds(admission.retryIn),
        }),
      );
    }
    const reset = wholeSeconds(admission.resetIn);
    context.res.headers.set("RateLimit-Policy", policy);
    context.res.headers.set("RateLimit", `"${name}";r=${admission.remaining};t=${reset}`);
  };
}

function limitInWords({ limit, window }: Limiter): string {
  return `${limit} requests in ${wholeSeconds(window)} s are admitted`;
}

function wholeSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}
