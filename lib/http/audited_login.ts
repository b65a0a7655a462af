/**
 * The login as the routes call it. What comes of it is told in one place: a line in the log for each
 * token that was issued and for each authentication that was refused, apart from errors by
 * `audit: true`, and the same without names to whoever counts. No line holds what was proven with.
 */

import type { Context } from "hono";
import { decodeJwt } from "jose";
import type { AuthenticatedClient } from "../accounts/accounts.ts";
import { Registration } from "../accounts/registration.ts";
import { type ErrorCode, isDomainError } from "../base/errors.ts";
import type { Log, LogFields } from "../base/log.ts";
import type { ClientProof } from "../tokens/client_proof.ts";
import type { Act, Login } from "../tokens/login.ts";
import type { IssuedToken } from "../tokens/token_issuer.ts";
import type { AppEnv } from "./environment.ts";
import type { AuthenticationOutcome, Observer, TokenGrantName } from "./observer.ts";
import { refusalFields } from "./refusal_fields.ts";
import { requestFields } from "./request_context.ts";

export interface AuditedLoginParts {
  login: Login;
  log: Log;
  observer?: Observer | undefined;
}

export interface AuditedLogin {
  /** Logs in for what `act` gives, as `login` does. */
  authenticate<Result>(
    context: Context<AppEnv>,
    proof: ClientProof,
    act: Act<Result>,
  ): Promise<Result>;
  /**
   * What else must be right before a client of that proof logs in. What is refused then is told as a
   * refused authentication is: nobody is known yet.
   */
  precheck<Result>(
    context: Context<AppEnv>,
    proof: ClientProof,
    check: () => Promise<Result>,
  ): Promise<Result>;
  /** As `authenticate`, for a token that `act` issues; the log says by what it was asked for. */
  issue<Result extends IssuedToken>(
    context: Context<AppEnv>,
    proof: ClientProof,
    asked: LogFields & { grant: TokenGrantName },
    act: Act<Result>,
  ): Promise<Result>;
}

export function createAuditedLogin({ login, log, observer }: AuditedLoginParts): AuditedLogin {
  const tell = (
    context: Context<AppEnv>,
    proof: ClientProof,
    outcome: AuthenticationOutcome,
    error: unknown,
  ): void => {
    observer?.authenticated(outcome);
    if (outcome === "limited") observer?.limited(context.req.raw);
    if (outcome !== "refused" && outcome !== "denied") return;
    const client = claimedName(proof);
    const who = client === undefined ? {} : { client };
    log.info(`an authentication was ${outcome}`, {
      ...line(context, outcome),
      ...who,
      ...refusalFields(error),
    });
  };

  const authenticate: AuditedLogin["authenticate"] = async (context, proof, act) => {
    try {
      const result = await login(proof, context.get("client"), act);
      observer?.authenticated("succeeded");
      return result;
    } catch (error) {
      tell(context, proof, outcomeOf(error), error);
      throw error;
    }
  };

  return {
    authenticate,
    precheck: async (context, proof, check) => {
      try {
        return await check();
      } catch (error) {
        if (outcomeOf(error) === "denied") tell(context, proof, "refused", error);
        throw error;
      }
    },
    issue: async (context, proof, asked, act) => {
      let client: AuthenticatedClient | undefined;
      const issued = await authenticate(context, proof, (authenticated) => {
        client = authenticated;
        return act(authenticated);
      });
      const { alg, kid, jti, audience } = issued;
      observer?.issued(asked.grant, alg);
      const { username } = client!.user;
      log.info("a token was issued", {
        ...line(context, "succeeded"),
        ...{ client: username, kid, jti, audience, ...asked },
      });
      return issued;
    },
  };
}

function line(context: Context<AppEnv>, outcome: AuthenticationOutcome): LogFields {
  const { ip } = context.get("client");
  return { audit: true, outcome, address: ip, ...requestFields(context) };
}

/** What each refusal says of an authentication; all else is a failure. */
const OUTCOMES: Partial<Record<ErrorCode, AuthenticationOutcome>> = {
  invalid_credentials: "refused",
  rate_limited: "limited",
  overloaded: "overloaded",
  invalid_request: "denied",
  invalid_scope: "denied",
  invalid_target: "denied",
  invalid_dpop_proof: "denied",
};

function outcomeOf(error: unknown): AuthenticationOutcome {
  return isDomainError(error) ? OUTCOMES[error.code] ?? "failed" : "failed";
}

/** What every password looks like that the server makes: somebody may have put one in the wrong place. */
const PASSWORD = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The name that somebody claimed who was refused; `undefined` unless it surely is a name. */
function claimedName(proof: ClientProof): string | undefined {
  const claimed = proof.method === "password" ? proof.credentials.username : subjectOf(proof);
  const { success, data } = Registration.shape.username.safeParse(claimed);
  return success && !PASSWORD.test(data) ? data : undefined;
}

function subjectOf({ assertion }: Extract<ClientProof, { method: "assertion" }>): unknown {
  try {
    return decodeJwt(assertion).sub;
  } catch {
    return undefined; // it is no JWT, which is why it was refused
  }
}
