/** Registering, and tokens for a username and a password, as they are described. */

import { CREDENTIALS, PASSWORD, REGISTRATION, token } from "./examples.ts";
import { COUNTED } from "./headers.ts";
import { EXPIRED, TEST_TOKENS, TRACEPARENT } from "./parameters.ts";
import { type ApiOptions, BODY_ERRORS, form, json, type Route } from "./route.ts";

export function clientRoutes(options: ApiOptions): Route[] {
  return [...options.registration ? [REGISTER] : [], authentication(options)];
}

const REGISTER: Route = {
  path: "/register",
  method: "post",
  id: "register",
  tag: "clients",
  summary: "Register a client",
  description: "Names and addresses are unique, whether their letters are capital or small. The " +
    "password is told this once.",
  parameters: [TRACEPARENT],
  request: { isRequired: true, contents: [json("Registration", REGISTRATION)] },
  answer: {
    status: 201,
    description: "The client is registered, and this is its password.",
    contents: [json("Password", PASSWORD)],
    headers: COUNTED,
  },
  errors: [...BODY_ERRORS, "already_registered"],
};

function authentication({ issuer, expiredTokens, testTokens }: ApiOptions): Route {
  return {
    path: "/auth",
    method: "post",
    id: "authenticate",
    tag: "clients",
    summary: "Get a token for a username and a password",
    description: "The credentials stand in the body, as JSON or as a form, or in HTTP Basic; in " +
      "both places they must be the same. With HTTP Basic there may be no body at all.",
    security: [{ basic: [] }, {}],
    parameters: [
      ...expiredTokens ? [EXPIRED] : [],
      ...testTokens ? TEST_TOKENS : [],
      TRACEPARENT,
    ],
    request: {
      isRequired: false,
      contents: [json("Credentials", CREDENTIALS), form("CredentialsForm", CREDENTIALS)],
    },
    answer: {
      status: 200,
      description: "The token.",
      contents: [
        json("Token", {
          token: token(issuer, "JWT"),
          token_type: "Bearer",
          expires_in: 3600,
        }),
      ],
      headers: COUNTED,
    },
    errors: [...BODY_ERRORS, "invalid_credentials", "invalid_dpop_proof"],
  };
}
