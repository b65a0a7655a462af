/**
 * The routes. This room turns requests into calls of the domain and what comes back into responses;
 * nothing else knows of HTTP. It imports every room below: `lib/tokens`, `lib/accounts`, `lib/keys`,
 * `lib/limits` and `lib/base`.
 */

import { type Handler, Hono } from "hono";
import type { Accounts } from "../accounts/accounts.ts";
import { Registration } from "../accounts/registration.ts";
import { type Clock, numericDate } from "../base/clock.ts";
import { DomainError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { expiredTokensOff, type KeyRing } from "../keys/key_ring.ts";
import type { CachingRules } from "../keys/published_set.ts";
import type { Limiter } from "../limits/limiter.ts";
import type { Login } from "../tokens/login.ts";
import type { FindClient } from "./client_address.ts";
import type { AppEnv } from "./environment.ts";
import { rateLimit } from "./rate_limit.ts";
import { readJson } from "./parsed_body.ts";
import { readAuthRequest, readQuery } from "./request.ts";
import {
  errorResponse,
  failureResponse,
  methodNotAllowed,
  preflightResponse,
  publishedSetResponse,
  secretResponse,
} from "./response.ts";

/** What the routes work with. */
export interface AppParts {
  ring: KeyRing;
  accounts: Accounts;
  login: Login;
  findClient: FindClient;
  /** Whether `POST /register` is open. */
  registration: boolean;
  /** Whether `POST /auth` gives expired tokens on request. */
  expiredTokens: boolean;
  /** Makes the limiter of a route. */
  limiter: () => Limiter;
  /** How long caches may use the JWK set. */
  caching: CachingRules;
  clock: Clock;
  log: Log;
}

/** Builds the Hono app; the environment it needs is what `Deno.serve` gives a handler. */
export function createApp(parts: AppParts): Hono<AppEnv> {
  const { ring, accounts, login, findClient, clock, log } = parts;
  const limited = (name: string) => rateLimit({ name, limiter: parts.limiter(), findClient });
  const app = new Hono<AppEnv>();
  const preflight: Handler<AppEnv> = async (context, next) =>
    context.req.raw.headers.has("access-control-request-method")
      ? preflightResponse()
      : await next();

  app.get("/.well-known/jwks.json", (context) => {
    const set = ring.published();
    if (set === undefined) {
      throw new DomainError("overloaded", "No key is published yet", { retryAfter: 1 });
    }
    const ifNoneMatch = context.req.raw.headers.get("if-none-match");
    const now = numericDate(clock());
    return publishedSetResponse(set, { now, rules: parts.caching, ifNoneMatch });
  });
  app.options("/.well-known/jwks.json", preflight);
  app.all("/.well-known/jwks.json", () => methodNotAllowed("GET, HEAD"));

  app.post("/register", limited("register"), async (context) => {
    readQuery(context.req.raw);
    if (!parts.registration) throw new DomainError("access_denied", "Registration is closed");
    const user = await readJson(context.req.raw, Registration);
    const password = await accounts.register(user, context.get("client").network);
    return secretResponse(context, { password }, 201);
  });
  app.all("/register", () => methodNotAllowed("POST"));

  app.post("/auth", limited("auth"), async (context) => {
    const { credentials, isExpired } = await readAuthRequest(context.req.raw);
    if (isExpired && !parts.expiredTokens) throw expiredTokensOff();
    const client = context.get("client");
    const { token, expiresIn } = await login({ credentials, client, isExpired });
    return secretResponse(context, { token, token_type: "Bearer", expires_in: expiresIn }, 200);
  });
  app.all("/auth", () => methodNotAllowed("POST"));

  app.notFound(() => errorResponse(new DomainError("not_found", "There is nothing at this path")));
  app.onError((error) => failureResponse(error, log));
  return app;
}
