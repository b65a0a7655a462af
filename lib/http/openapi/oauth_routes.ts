/** The endpoints of OAuth, as they are described. */

import { claims, CLIENT, PASSWORD, REGISTRATION, token } from "./examples.ts";
import { COUNTED } from "./headers.ts";
import { DPOP, TEST_TOKENS, TRACEPARENT } from "./parameters.ts";
import { type ApiOptions, BODY_ERRORS, type Content, form, json, type Route } from "./route.ts";

/** What the three have in common: a client that proves itself in one of three ways. */
const CLIENT_AUTHENTICATED = {
  method: "post",
  tag: "oauth",
  // Without HTTP Basic the proof stands in the form, for which OpenAPI has no scheme.
  security: [{ basic: [] }, {}],
} as const;

const ERRORS = [...BODY_ERRORS, "invalid_client"] as const;

export function oauthRoutes({ issuer, testTokens }: ApiOptions): Route[] {
  return [
    {
      ...CLIENT_AUTHENTICATED,
      path: "/token",
      id: "issueToken",
      summary: "Get an access token (RFC 6749 §4.4)",
      description:
        "The client authenticates by HTTP Basic, by client_id and client_secret in the " +
        "form, or by a JWT that its key has signed (private_key_jwt); in one of these ways only. " +
        "With a DPoP proof the token is bound to the key of the proof.",
      parameters: [DPOP, ...testTokens ? TEST_TOKENS : [], TRACEPARENT],
      request: asked("TokenRequest", { grant_type: "client_credentials", ...CLIENT }),
      answer: answered("The token.", [
        json("AccessToken", {
          access_token: token(issuer, "at+jwt"),
          token_type: "Bearer",
          expires_in: 3600,
        }),
      ]),
      errors: [
        ...ERRORS,
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_target",
        "invalid_dpop_proof",
      ],
    },
    {
      ...CLIENT_AUTHENTICATED,
      path: "/introspect",
      id: "introspectToken",
      summary: "Ask what a token is worth (RFC 7662)",
      description: "For services that do not verify tokens themselves. Any client may ask, and " +
        "authenticates as for a token.",
      parameters: [TRACEPARENT],
      request: asked("IntrospectionRequest", { token: token(issuer, "at+jwt"), ...CLIENT }),
      answer: answered("What the token says, or that it is not active.", [
        json("Introspection", {
          active: true,
          token_type: "Bearer",
          username: REGISTRATION.username,
          ...claims(issuer),
        }),
      ]),
      errors: ERRORS,
    },
    {
      ...CLIENT_AUTHENTICATED,
      path: "/password",
      id: "replacePassword",
      summary: "Replace the password",
      description: "The client authenticates as for a token. The password that it has now stays " +
        "valid for a while, so that all who use it can learn the new one. With HTTP Basic there may " +
        "be no body at all.",
      parameters: [TRACEPARENT],
      request: { ...asked("ClientProof", CLIENT), isRequired: false },
      answer: { ...answered("The new password.", [json("Password", PASSWORD)]), status: 201 },
      errors: [...ERRORS, "access_denied", "not_found"],
    },
  ];
}

function asked(schema: string, example: unknown): NonNullable<Route["request"]> {
  return { isRequired: true, contents: [form(schema, example)] };
}

function answered(description: string, contents: readonly Content[]): Route["answer"] {
  return { status: 200, description, contents, headers: COUNTED };
}
