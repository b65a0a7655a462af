/** What answers the requests of a server: the app over its parts, as the configuration says. */

import type { Accounts } from "../accounts/accounts.ts";
import { type AppParts, createApp } from "../http/app.ts";
import { createFindClient, createIsTrustedProxy } from "../http/client_address.ts";
import type { Handler } from "../http/gate.ts";
import { createRequestIssuerHandler } from "../http/request_issuer.ts";
import type { KeyRing } from "../keys/key_ring.ts";
import { createAssertionVerifier } from "../tokens/client_assertion.ts";
import { createProofVerifier } from "../tokens/dpop.ts";
import { createForeignKeys } from "../tokens/foreign_keys.ts";
import { createIntrospection } from "../tokens/introspection.ts";
import { createLogin } from "../tokens/login.ts";
import { ReplayGuard } from "../tokens/replay_guard.ts";
import { TestTokenIssuer } from "../tokens/test_tokens.ts";
import { TokenIssuer } from "../tokens/token_issuer.ts";
import { schemeOf } from "./address.ts";
import type { Config } from "./config.ts";
import type { Limits } from "./limits.ts";
import type { OpenedDatabase } from "./open.ts";

/** Assertions and proofs that are remembered until they are over, so that none is used twice. */
const REPLAY_CAPACITY = 100_000;

export interface HandlerParts extends Pick<AppParts, "findHindrance" | "observer"> {
  database: OpenedDatabase;
  ring: KeyRing;
  accounts: Accounts;
  limits: Pick<Limits, "requests">;
  /** The URL under which verifiers know this server, unless each request says that. */
  issuer: string;
}

export function createHandler(config: Config, { issuer, ...parts }: HandlerParts): Handler {
  const { trustedProxies } = config;
  const handlerOf = createHandlerOf(config, parts);
  if (!config.issuerFromRequest) return handlerOf(issuer);
  const isTrustedProxy = createIsTrustedProxy(trustedProxies);
  return createRequestIssuerHandler({ scheme: schemeOf(config), isTrustedProxy, handlerOf });
}

/** Makes what makes the handler of an issuer; what they remember of clients is one for all. */
function createHandlerOf(
  config: Config,
  { database, ring, accounts, limits, ...watched }: Omit<HandlerParts, "issuer">,
): (issuer: string) => Handler {
  const { storage, clock, log } = database;
  const { policy: { tokenTtl, clockSkew, expiredTokens }, registration } = config;
  const replay = new ReplayGuard({ capacity: REPLAY_CAPACITY, clock, shared: storage.uses });
  const proofs = createProofVerifier({ replay, clock });
  const findClient = createFindClient(config.trustedProxies);
  const foreignKey = config.testTokens ? createForeignKeys() : undefined;

  return function handlerOf(issuer) {
    const audience = config.audience ?? issuer;
    const audiences = [issuer, `${issuer.replace(/\/$/, "")}/token`];
    const assertions = createAssertionVerifier({ audiences, replay, clock });
    const tokens = { ring, clock, issuer, audience, tokenTtl, clockSkew };
    const testTokens = foreignKey && new TestTokenIssuer({ ...tokens, foreignKey });
    const app = createApp({
      ...watched,
      ring,
      accounts,
      login: createLogin({ accounts, assertions, ring }),
      issuer: new TokenIssuer(tokens),
      introspect: createIntrospection({ ring, storage, issuer, clock }),
      proofs,
      issuerUrl: issuer,
      variesByHost: config.issuerFromRequest,
      jwksUri: config.jwksUri,
      audience,
      passwordOverlap: config.passwordOverlap,
      findClient,
      registration,
      expiredTokens,
      page: config.page,
      testTokens,
      limiter: limits.requests,
      caching: { staleIfError: config.policy.staleIfError, tokenTtl },
      clock,
      log,
    });
    // Whole, not in parts: asking for the peer's address costs, and few routes want it.
    return (request, info) => app.fetch(request, info);
  };
}
