/** The routes. */

import { Hono } from "hono";
import type { Accounts } from "../accounts/accounts.ts";
import type { ClientAddress } from "./client_address.ts";
import { type Clock, type MonotonicClock, numericDate } from "../base/clock.ts";
import { RequestError } from "../base/errors.ts";
import type { KeyRing } from "../keys/key_ring.ts";
import type { Log } from "../base/log.ts";
import { type AppEnv, rateLimit } from "./rate_limit.ts";
import { Credentials, readExpiredParameter, readJson, Registration } from "./request.ts";
import {
  errorResponse,
  failureResponse,
  methodNotAllowed,
  publishedSetResponse,
  secretResponse,
} from "./response.ts";
import { SlidingWindow } from "../limits/sliding_window.ts";
import type { TokenIssuer } from "../tokens/token_issuer.ts";

/** What the routes work with. */
export interface AppParts {
  ring: KeyRing;
  accounts: Accounts;
  issuer: TokenIssuer;
  clientAddress: (peer: string, forwardedFor: string | null) => ClientAddress;
  /** Whether `POST /register` is open. */
  registration: boolean;
  /** Whether `POST /auth` gives expired tokens on request. */
  expiredTokens: boolean;
  /** Admitted requests a client, a route and a `window` in milliseconds. */
  rateLimit: { limit: number; window: number; now: MonotonicClock };
  clock: Clock;
  log: Log;
}

/** Builds the Hono app; the environment it needs is what `Deno.serve` gives a handler. */
export function createApp(parts: AppParts): Hono<AppEnv> {
  const { ring, accounts, issuer, clock, log } = parts;
  const limited = (name: string) =>
    rateLimit({
      name,
      window: new SlidingWindow(parts.rateLimit),
      clientAddress: parts.clientAddress,
    });
  const app = new Hono<AppEnv>();

  app.get("/.well-known/jwks.json", (context) => {
    const set = ring.published();
    if (set === undefined) throw new RequestError("overloaded", "No key is published yet", 1);
    const ifNoneMatch = context.req.raw.headers.get("if-none-match");
    return publishedSetResponse(set, numericDate(clock()), ifNoneMatch);
  });
  app.all("/.well-known/jwks.json", () => methodNotAllowed("GET, HEAD"));

  app.post("/register", limited("register"), async (context) => {
    if (!parts.registration) throw new RequestError("access_denied", "Registration is closed");
    const user = await readJson(context.req.raw, Registration);
    return secretResponse(context, { password: await accounts.register(user) }, 201);
  });
  app.all("/register", () => methodNotAllowed("POST"));

  app.post("/auth", limited("auth"), async (context) => {
    const asksExpired = readExpiredParameter(context);
    const { username, password, expired } = await readJson(context.req.raw, Credentials);
    const isExpired = asksExpired || expired === true;
    if (isExpired && !parts.expiredTokens) {
      throw new RequestError("invalid_request", "Expired tokens are switched off");
    }
    const { ip } = context.get("client");
    const user = await accounts.authenticate({ username, password, ip });
    const { token, expiresIn } = isExpired
      ? await issuer.issueExpired(user.username)
      : await issuer.issue(user.username);
    await accounts.recordLogin(user, ip);
    return secretResponse(context, { token, token_type: "Bearer", expires_in: expiresIn }, 200);
  });
  app.all("/auth", () => methodNotAllowed("POST"));

  app.notFound(() => errorResponse(new RequestError("not_found", "There is nothing at this path")));
  app.onError((error) => failureResponse(error, log));
  return app;
}
