/**
 * The routes. This room turns requests into calls of the domain and what comes back into responses;
 * nothing else knows of HTTP. It imports every room below: `lib/tokens`, `lib/accounts`, `lib/keys`,
 * `lib/limits` and `lib/base`.
 */

import { Hono } from "hono";
import type { z } from "zod";
import { Registration } from "../accounts/registration.ts";
import { type Clock, numericDate } from "../base/clock.ts";
import { DomainError } from "../base/errors.ts";
import { expiredTokensOff, type KeyRing } from "../keys/key_ring.ts";
import type { CachingRules } from "../keys/published_set.ts";
import type { Limiter } from "../limits/limiter.ts";
import { grantFor } from "../tokens/grant.ts";
import type { Login } from "../tokens/login.ts";
import type { TestTokenIssuer } from "../tokens/test_tokens.ts";
import { createAuditedLogin } from "./audited_login.ts";
import type { FindClient } from "./client_address.ts";
import { createPublishedResponse, pageResponse } from "./conditional_response.ts";
import type { AppEnv } from "./environment.ts";
import { createHealthRoutes, type FindHindrance } from "./health.ts";
import { issuerPath, metadataPaths, pagePaths } from "./metadata.ts";
import { createOAuthRoutes, type OAuthParts } from "./oauth_routes.ts";
import type { Observer } from "./observer.ts";
import { createPage } from "./page/page.ts";
import { invalid, readJson } from "./parsed_body.ts";
import { pathOf } from "./path.ts";
import { addMetadata, createDescription, document, published } from "./published.ts";
import { rateLimit } from "./rate_limit.ts";
import type { AuthResponse, PasswordResponse } from "./schemas.ts";
import { readAuthRequest, readQuery } from "./request.ts";
import { tellRefusal } from "./refusal_line.ts";
import { identify, requestFields } from "./request_context.ts";
import { errorResponse, failureResponse, methodNotAllowed, secretResponse } from "./response.ts";
import { createReadTestRequest } from "./test_request.ts";

/** What the routes work with. */
export interface AppParts
  extends Omit<OAuthParts, "limited" | "tokenEndpoint" | "login" | "readTestRequest"> {
  ring: KeyRing;
  login: Login;
  findHindrance: FindHindrance;
  /** Whoever watches what happens, if anybody does. */
  observer?: Observer | undefined;
  findClient: FindClient;
  /** The URL of this server, exactly as in the tokens' `iss`. */
  issuerUrl: string;
  /** Where the JWK set is, when not below the issuer. */
  jwksUri: string | undefined;
  /** Whether `POST /register` is open. */
  registration: boolean;
  /** Whether `POST /auth` gives expired tokens on request. */
  expiredTokens: boolean;
  /** What gives test tokens, where there are any. */
  testTokens?: TestTokenIssuer | undefined;
  /** Whether the server is another issuer to who asks another Host. */
  variesByHost?: boolean | undefined;
  /** The limiter of this name. */
  limiter: (name: string) => Limiter;
  /** Whether there is a page for people. */
  page: boolean;
  /** How long caches may use the JWK set. */
  caching: CachingRules;
  clock: Clock;
}

/** The routes whose requests are told apart in the log. */
const WITH_CREDENTIALS = ["/register", "/auth", "/token", "/introspect", "/password"] as const;

/**
 * Builds the Hono app; the environment it needs is what `Deno.serve` gives a handler. An issuer with
 * a path has all routes below that, too.
 */
export function createApp(parts: AppParts): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ getPath: pathOf });
  const routes = createRoutes(parts);
  const base = issuerPath(parts.issuerUrl);
  for (const path of new Set(["/", base || "/"])) app.route(path, routes);
  addMetadata(app, parts);
  if (parts.page) addPage(app, parts);
  app.notFound(() => errorResponse(new DomainError("not_found", "There is nothing at this path")));
  app.onError((error, context) => failureResponse(error, parts.log, requestFields(context)));
  return app;
}

function createRoutes(parts: AppParts): Hono<AppEnv> {
  const { ring, accounts, issuer, findClient, clock, observer } = parts;
  const login = createAuditedLogin(parts);
  const readTestRequest = createReadTestRequest(parts.testTokens);
  const limited = (name: string) =>
    rateLimit({ name, limiter: parts.limiter(name), findClient, observer });
  // One limit for all routes that take credentials: more routes are not more tries.
  const limitedTries = limited("auth");
  const routes = new Hono<AppEnv>();
  const publishedResponse = createPublishedResponse(parts.caching);
  for (const path of WITH_CREDENTIALS) routes.use(path, identify(), tellRefusal(path, parts.log));

  routes.all(
    "/.well-known/jwks.json",
    published((context) => {
      const set = ring.published();
      if (set === undefined) {
        throw new DomainError("overloaded", "No key is published yet", { retryAfter: 1 });
      }
      const ifNoneMatch = context.req.raw.headers.get("if-none-match");
      const now = numericDate(clock());
      return publishedResponse(set, now, ifNoneMatch);
    }),
  );

  routes.post("/register", limited("register"), async (context) => {
    readQuery(context.req.raw);
    if (!parts.registration) throw new DomainError("access_denied", "Registration is closed");
    const user = await readJson(context.req.raw, Registration);
    const password = await accounts.register(user, context.get("client").network);
    return secretResponse<z.infer<typeof PasswordResponse>>(context, { password }, 201);
  });
  routes.all("/register", () => methodNotAllowed("POST"));

  routes.post("/auth", limitedTries, async (context) => {
    const { credentials, isExpired, parameters } = await readAuthRequest(context.req.raw);
    if (isExpired && !parts.expiredTokens) throw expiredTokensOff();
    const test = readTestRequest(parameters);
    if (isExpired && test) throw invalid("expired=true gives no test token: use it alone");
    const proof = { method: "password", credentials } as const;
    const asked = test?.asked ?? { grant: isExpired ? "expired" : "password" } as const;
    const { token, expiresIn } = await login.issue(context, proof, asked, (client) => {
      const grant = grantFor(client, {}, parts.audience);
      const { username } = client.user;
      if (test) return test.issue(username, grant);
      return isExpired ? issuer.issueExpired(username, grant) : issuer.issue(username, grant);
    });
    const body = { token, token_type: "Bearer", expires_in: expiresIn } as const;
    return secretResponse<z.infer<typeof AuthResponse>>(context, body, 200);
  });
  routes.all("/auth", () => methodNotAllowed("POST"));

  const tokenEndpoint = `${parts.issuerUrl.replace(/\/$/, "")}/token`;
  routes.route(
    "/",
    createOAuthRoutes({ ...parts, login, limited: limitedTries, tokenEndpoint, readTestRequest }),
  );
  routes.route("/", createHealthRoutes(parts.findHindrance));
  routes.all("/openapi.json", document(createDescription(parts)));
  return routes;
}

function addPage(app: Hono<AppEnv>, parts: AppParts): void {
  const [metadataPath] = metadataPaths(parts.issuerUrl);
  const { draw, policy } = createPage({ ...parts, issuer: parts.issuerUrl, metadataPath });
  for (const path of pagePaths(parts.issuerUrl)) {
    app.get(path, async ({ req }) => {
      return pageResponse(await draw(), policy, req.raw.headers.get("if-none-match"));
    });
    app.all(path, () => methodNotAllowed("GET, HEAD"));
  }
}
