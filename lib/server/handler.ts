/** What answers the requests of a server: the app over its parts, as the configuration says. */

import type { Accounts } from "../accounts/accounts.ts";
import { type AppParts, createApp } from "../http/app.ts";
import { createFindClient } from "../http/client_address.ts";
import type { Handler } from "../http/gate.ts";
import type { KeyRing } from "../keys/key_ring.ts";
import { SlidingWindow } from "../limits/sliding_window.ts";
import { createAssertionVerifier } from "../tokens/client_assertion.ts";
import { createProofVerifier } from "../tokens/dpop.ts";
import { createIntrospection } from "../tokens/introspection.ts";
import { createLogin } from "../tokens/login.ts";
import { ReplayGuard } from "../tokens/replay_guard.ts";
import { TestTokenIssuer } from "../tokens/test_tokens.ts";
import { TokenIssuer } from "../tokens/token_issuer.ts";
import type { Config } from "./config.ts";
import type { OpenedDatabase } from "./open.ts";

/** Assertions and proofs that are remembered until they are over, so that none is used twice. */
const REPLAY_CAPACITY = 100_000;

const now = () => performance.now();

export interface HandlerParts extends Pick<AppParts, "findHindrance" | "observer"> {
  database: OpenedDatabase;
  ring: KeyRing;
  accounts: Accounts;
  /** The URL under which verifiers know this server. */
  issuer: string;
}

export function createHandler(
  config: Config,
  { database, ring, accounts, issuer, ...watched }: HandlerParts,
): Handler {
  const { storage, clock, log } = database;
  const { policy: { tokenTtl, clockSkew, expiredTokens }, registration } = config;
  const audience = config.audience ?? issuer;
  const replay = new ReplayGuard({ capacity: REPLAY_CAPACITY, clock });
  const audiences = [issuer, `${issuer.replace(/\/$/, "")}/token`];
  const limit = { limit: config.rateLimit, window: config.rateWindow * 1000, now };
  const tokens = { ring, clock, issuer, audience, tokenTtl, clockSkew };
  const app = createApp({
    ...watched,
    ring,
    accounts,
    login: createLogin({
      accounts,
      assertions: createAssertionVerifier({ audiences, replay, clock }),
    }),
    issuer: new TokenIssuer(tokens),
    introspect: createIntrospection({ ring, storage, issuer, clock }),
    proofs: createProofVerifier({ replay, clock }),
    issuerUrl: issuer,
    jwksUri: config.jwksUri,
    audience,
    passwordOverlap: config.passwordOverlap,
    findClient: createFindClient(config.trustedProxies),
    registration,
    expiredTokens,
    testTokens: config.testTokens ? new TestTokenIssuer(tokens) : undefined,
    limiter: () => new SlidingWindow(limit),
    caching: { staleIfError: config.staleIfError, tokenTtl },
    clock,
    log,
  });
  // Whole, not in parts: asking for the peer's address costs, and few routes want it.
  return (request, info) => app.fetch(request, info);
}
