/** What requests say and what answers say, as schemas: the check, the type and the description. */

import { z } from "zod";
import { textMember } from "../accounts/registration.ts";
import { DEFECT_NAMES } from "../tokens/defects.ts";
import { FARTHEST_END, LATEST_ISSUE } from "../tokens/test_wish.ts";

/** The body of `POST /auth`. */
export const AuthBody = z.object({
  username: textMember("username").min(1, "username is empty"),
  password: textMember("password").min(1, "password is empty"),
  expired: z.boolean("expired must be true or false").optional(),
}, "The body must be a JSON object");

/** A parameter that counts as not sent when it has no value (RFC 6749 §3.2). */
const Parameter = z.string().optional().transform((text) => text || undefined);

/** What proves who the client is, when it stands in the form (RFC 6749 §2.3.1, RFC 7523 §2.2). */
export const ClientForm = z.object({
  client_id: Parameter,
  client_secret: Parameter,
  client_assertion_type: Parameter,
  client_assertion: Parameter,
});

/** The form of `POST /token` (RFC 6749 §4.4.2, RFC 8707 §2), beside the client's proof. */
export const TokenForm = z.object({
  grant_type: textMember("grant_type").min(1, "grant_type is missing"),
  scope: z.string().optional(),
  resource: Parameter,
  audience: Parameter,
});

/** What a request for a test token says beside the rest, on `POST /auth` and `POST /token` alike. */
export const TestParameters = z.object({
  defect: z.enum(DEFECT_NAMES, `defect must be one of ${DEFECT_NAMES.join(", ")}`).optional(),
  claims: z.unknown().refine(isObject, "claims must be a JSON object").optional(),
  expires_in: wholeNumber("expires_in", -FARTHEST_END, FARTHEST_END).optional(),
  issued_at: wholeNumber("issued_at", 0, LATEST_ISSUE).optional(),
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
  token: textMember("token").min(1, "token is missing"),
});

/** The answer of `POST /auth`. */
export const AuthResponse = z.object({
  token: z.jwt(),
  token_type: z.literal("Bearer"),
  /** In seconds; 0 for an expired one. */
  expires_in: z.int(),
});

/** The answer of `POST /token` (RFC 6749 §5.1, RFC 9449 §5). */
export const TokenResponse = z.object({
  access_token: z.jwt(),
  token_type: z.enum(["Bearer", "DPoP"]),
  /** In seconds. */
  expires_in: z.int(),
  /** When it is not as it was asked for. */
  scope: z.string().optional(),
});

/** The answer of `POST /introspect` (RFC 7662 §2.2). */
export const IntrospectionAnswer = z.union([
  z.object({ active: z.literal(false) }),
  z.looseObject({ active: z.literal(true) }),
]);

/** The answer of `POST /register` and `POST /password`. */
export const PasswordResponse = z.object({ password: z.uuidv4() });
