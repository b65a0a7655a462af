/** What requests say and what answers say, as schemas: the check, the type and the description. */

import { z } from "zod";
import { textMember } from "../accounts/registration.ts";
import { DEFECT_NAMES } from "../tokens/defects.ts";
import { FARTHEST_END, LATEST_ISSUE } from "../tokens/test_wish.ts";

/** The body of `POST /auth`. */
export const AuthBody = z.object({
  username: textMember("username").min(1, "username is empty")
    .describe("A registered name, in capital or small letters."),
  password: textMember("password").min(1, "password is empty")
    .describe("The password that registering gave."),
  expired: z.boolean("expired must be true or false").optional()
    .describe("Whether to give a token that has expired."),
}, "The body must be a JSON object");

/** A parameter that counts as not sent when it has no value (RFC 6749 §3.2). */
const Parameter = z.string().optional().transform((text) => text || undefined);

/** The one type of assertion that is understood (RFC 7523 §2.2). */
export const JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** What proves who the client is, when it stands in the form (RFC 6749 §2.3.1, RFC 7523 §2.2). */
export const ClientForm = z.object({
  client_id: Parameter.describe("The registered name, unless the header Authorization has it."),
  client_secret: Parameter.describe("The password (client_secret_post)."),
  client_assertion_type: Parameter.describe(
    `What kind of assertion follows (private_key_jwt): ${JWT_BEARER}.`,
  ),
  client_assertion: Parameter.describe(
    "A JWT that a key of the client has signed (private_key_jwt, RFC 7523 §3).",
  ),
});

/** The form of `POST /token` (RFC 6749 §4.4.2, RFC 8707 §2), beside the client's proof. */
export const TokenForm = z.object({
  grant_type: textMember("grant_type").min(1, "grant_type is missing")
    .meta({ description: "The one grant there is.", enum: ["client_credentials"] }),
  scope: z.string().optional()
    .describe("Scopes with one space between two; all that the client may have when left out."),
  resource: Parameter.describe("The service that the token is for, as an absolute URI (RFC 8707)."),
  audience: Parameter.describe("The same, by whatever name the service goes."),
});

/** What a request for a test token says beside the rest, on `POST /auth` and `POST /token` alike. */
export const TestParameters = z.object({
  defect: z.enum(DEFECT_NAMES, `defect must be one of ${DEFECT_NAMES.join(", ")}`).optional()
    .describe("What is to be wrong with the token."),
  claims: z.unknown().refine(isObject, "claims must be a JSON object").optional()
    .meta({ type: "object", description: "Further claims of the token, a JSON object." }),
  expires_in: wholeNumber("expires_in", -FARTHEST_END, FARTHEST_END).optional()
    .describe("For how many seconds the token is to be valid."),
  issued_at: wholeNumber("issued_at", 0, LATEST_ISSUE).optional()
    .describe("When the token is to be issued, in seconds since the epoch."),
});

/** As it is: a copy would lose the members that JavaScript takes for its own. */
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wholeNumber(name: string, minimum: number, maximum: number) {
  const message = `${name} must be a whole number from ${minimum} to ${maximum}`;
  return z.int(message).min(minimum, message).max(maximum, message);
}

/** The form of `POST /introspect` (RFC 7662 §2.1), beside the client's proof. */
export const IntrospectionForm = z.object({
  token: textMember("token").min(1, "token is missing").describe("The token in question."),
});

/** A token in compact form (RFC 7515 §7.1); one that is not secured has no signature (RFC 7519 §6). */
const Jwt = z.string().regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/);

/** The answer of `POST /auth`. */
export const AuthResponse = z.object({
  token: Jwt,
  token_type: z.literal("Bearer"),
  expires_in: z.int().nonnegative().describe(
    "For how many seconds it is valid; 0: it has expired.",
  ),
});

/** The answer of `POST /token` (RFC 6749 §5.1, RFC 9449 §5). */
export const TokenResponse = z.object({
  access_token: Jwt,
  token_type: z.enum(["Bearer", "DPoP"]).describe("DPoP: it is bound to the key of the proof."),
  expires_in: z.int().nonnegative().describe("For how many seconds it is valid."),
  scope: z.string().optional().describe("The scopes granted, when others than those asked for."),
});

/** The answer of `POST /introspect` (RFC 7662 §2.2). */
export const IntrospectionAnswer = z.union([
  z.object({ active: z.literal(false) }).meta({ title: "Inactive" }),
  z.looseObject({
    active: z.literal(true),
    token_type: z.enum(["Bearer", "DPoP"]),
    username: z.string().describe("The client, as it is registered."),
    client_id: z.string().optional(),
    scope: z.string().optional(),
    iss: z.string().optional(),
    sub: z.string().optional(),
    aud: z.union([z.string(), z.array(z.string())]).optional(),
    iat: z.number().optional(),
    nbf: z.number().optional(),
    exp: z.number().optional(),
    jti: z.string().optional(),
    cnf: z.object({ jkt: z.string() }).optional().describe("The key it is bound to (RFC 9449 §6)."),
  }).meta({ title: "Active" }),
]).describe("What the token says, while it is active; else only that it is not (RFC 7662 §2.2).");

/** The answer of `POST /register` and `POST /password`. */
export const PasswordResponse = z.object({ password: z.uuidv4() });
