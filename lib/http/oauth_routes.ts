/** The endpoints of OAuth: `/token` (RFC 6749 §3.2), `/introspect` (RFC 7662), and `/password`. */

import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { z } from "zod";
import type { Accounts } from "../accounts/accounts.ts";
import { DomainError, isDomainError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { ProofVerifier } from "../tokens/dpop.ts";
import { grantFor } from "../tokens/grant.ts";
import type { Introspect } from "../tokens/introspection.ts";
import type { TokenIssuer } from "../tokens/token_issuer.ts";
import type { AuditedLogin } from "./audited_login.ts";
import { readClientProof } from "./client_authentication.ts";
import { readBinding } from "./dpop_header.ts";
import type { AppEnv } from "./environment.ts";
import { readForm, validate } from "./parsed_body.ts";
import { hasBody, readQuery, textParameters } from "./request.ts";
import { requestFields } from "./request_context.ts";
import { CHALLENGE, failureResponse, methodNotAllowed, secretResponse } from "./response.ts";
import {
  type IntrospectionAnswer,
  IntrospectionForm,
  type PasswordResponse,
  type TokenResponse,
} from "./schemas.ts";
import type { ReadTestRequest } from "./test_request.ts";
import { readTokenRequest } from "./token_request.ts";

export interface OAuthParts {
  accounts: Accounts;
  login: AuditedLogin;
  issuer: TokenIssuer;
  introspect: Introspect;
  proofs: ProofVerifier;
  readTestRequest: ReadTestRequest;
  /** The URL of `/token` as clients know it. */
  tokenEndpoint: string;
  /** The `aud` of clients whose policy names none. */
  audience: string;
  /** For how long a password that is replaced stays valid, in seconds. */
  passwordOverlap: number;
  /** The limit that all routes share which take credentials. */
  limited: MiddlewareHandler<AppEnv>;
  log: Log;
}

/** Builds the routes; what goes wrong on them is told as RFC 6749 §5.2 says. */
export function createOAuthRoutes(parts: OAuthParts): Hono<AppEnv> {
  const { login, limited, log } = parts;
  const routes = new Hono<AppEnv>();
  routes.onError((error, context) => refusal(error, context, log));

  routes.post("/token", limited, async (context) => {
    const { raw } = context.req;
    const query = readQuery(raw);
    const form = await readForm(raw);
    const request = readTokenRequest(form);
    const test = parts.readTestRequest([textParameters(query), textParameters(form)]);
    const proof = readClientProof(raw.headers, form);
    const key = await login.precheck(
      context,
      proof,
      () => readBinding(raw.headers, parts.proofs, parts.tokenEndpoint),
    );
    const { token, expiresIn, scope } = await login.issue(
      context,
      proof,
      test?.asked ?? { grant: "client_credentials" },
      async (client) => {
        await key?.remember();
        const policy = grantFor(client, { ...request, jkt: key?.jkt }, parts.audience);
        const grant = { ...policy, typ: "at+jwt" } as const;
        return await (test ?? parts.issuer).issue(client.user.username, grant);
      },
    );
    return secretResponse<z.infer<typeof TokenResponse>>(context, {
      access_token: token,
      token_type: key === undefined ? "Bearer" : "DPoP",
      expires_in: expiresIn,
      ...(scope === undefined || scope === request.scope ? {} : { scope }), // RFC 6749 §5.1
    }, 200);
  });

  routes.post("/introspect", limited, async (context) => {
    const { raw } = context.req;
    readQuery(raw);
    const form = await readForm(raw);
    const { token } = validate(IntrospectionForm, Object.fromEntries(form));
    const proof = readClientProof(raw.headers, form);
    const answer = await login.authenticate(context, proof, () => parts.introspect(token));
    return secretResponse<z.infer<typeof IntrospectionAnswer>>(context, answer, 200);
  });

  routes.post("/password", limited, async (context) => {
    const { raw } = context.req;
    readQuery(raw);
    const form = hasBody(raw.headers) ? await readForm(raw) : new URLSearchParams();
    const proof = readClientProof(raw.headers, form);
    const client = await login.authenticate(context, proof, (client) => Promise.resolve(client));
    if (proof.method === "password" && client.credential !== undefined) {
      throw new DomainError("access_denied", "This password was replaced: use the new one");
    }
    const { accounts, passwordOverlap } = parts;
    const { network } = context.get("client");
    const { username } = client.user;
    const password = await accounts.rotatePassword(username, passwordOverlap, network, client);
    return secretResponse<z.infer<typeof PasswordResponse>>(context, { password }, 201);
  });

  for (const path of ["/token", "/introspect", "/password"]) {
    routes.all(path, () => methodNotAllowed("POST"));
  }
  return routes;
}

/** RFC 6749 §5.2: `invalid_client`, with a challenge for who used the header that it answers. */
function refusal(error: unknown, context: Context<AppEnv>, log: Log): Response {
  const { headers } = context.req.raw;
  if (!isDomainError(error, "invalid_credentials")) {
    return failureResponse(error, log, requestFields(context));
  }
  const response = failureResponse(new DomainError("invalid_client", error.message), log);
  if (headers.has("authorization")) response.headers.set("www-authenticate", CHALLENGE);
  return response;
}
