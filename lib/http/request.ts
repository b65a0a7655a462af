/** Requests from outside, turned into typed values or refused with a clear error. */

import { z } from "zod";
import type { Credentials } from "../accounts/accounts.ts";
import { readBasic } from "./basic.ts";
import { invalid, isForm, readForm, readJson, validate } from "./parsed_body.ts";
import { AuthBody } from "./schemas.ts";

/** Parameters that stand together in a request. */
export interface Parameters {
  /** Whether each is text, as in a query or a form; else each is a value of JSON. */
  areText: boolean;
  values: Readonly<Record<string, unknown>>;
}

/** What `POST /auth` asks for. */
export interface AuthRequest {
  credentials: Credentials;
  isExpired: boolean;
  /** Where else it may say something: its query and its body, unchecked. */
  parameters: readonly Parameters[];
}

/**
 * Reads what `POST /auth` asks for: credentials in the body, as JSON or as a form, in HTTP Basic
 * (RFC 7617), or the same ones in both.
 *
 * @throws {DomainError} as `readJson`, `readForm` and `readQuery` do; `invalid_request` when the credentials in
 * the two places differ.
 */
export async function readAuthRequest(request: Request): Promise<AuthRequest> {
  const query = readQuery(request);
  const asksExpired = readExpired(query);
  const basic = readBasic(request.headers.get("authorization"));
  const { fields, parameters } = await readAuthBody(request, basic);
  const { expired = false, ...credentials } = fields;
  if (
    basic && (credentials.username !== basic.username || credentials.password !== basic.password)
  ) {
    throw invalid("The credentials in the body and in Authorization differ");
  }
  const isExpired = asksExpired || expired;
  return { credentials, isExpired, parameters: [textParameters(query), parameters] };
}

/** What a body says; what it may leave out beside credentials in HTTP Basic is `basic`'s. */
async function readAuthBody(
  request: Request,
  basic: Credentials | undefined,
): Promise<{ fields: z.infer<typeof AuthBody>; parameters: Parameters }> {
  const { headers } = request;
  if (basic && !hasBody(headers)) {
    return { fields: basic, parameters: textParameters(new URLSearchParams()) };
  }
  const areText = isForm(headers);
  const values = areText
    ? Object.fromEntries(await readForm(request))
    : await readJson(request, z.unknown());
  const said = areText ? withFlag(values as Record<string, string>) : values;
  const parameters = { areText, values: values as Record<string, unknown> };
  if (basic === undefined) return { fields: validate(AuthBody, said), parameters };
  const { username = basic.username, password = basic.password, expired } = validate(
    AuthBody.partial(),
    said,
  );
  return { fields: { username, password, expired }, parameters };
}

/** A form's fields are text, in which `expired` says what JSON says with `true` and `false`. */
function withFlag({ expired, ...fields }: Record<string, string>): Record<string, unknown> {
  if (expired === undefined) return fields;
  return { ...fields, expired: { true: true, false: false }[expired] ?? expired };
}

/** The parameters of a query or a form. */
export function textParameters(from: URLSearchParams): Parameters {
  return { areText: true, values: Object.fromEntries(from) };
}

/** What of a request may never stand in its URL (RFC 6749 §2.3.1, RFC 7662 §2.1). */
const CREDENTIALS = new Set([
  "username",
  "password",
  "client_id",
  "client_secret",
  "client_assertion",
  "token",
]);

/**
 * The parameters of the query.
 *
 * @throws {DomainError} `invalid_request` when one is repeated, or credentials stand there, where
 * logs and histories keep them.
 */
export function readQuery(request: Request): URLSearchParams {
  const { searchParams } = new URL(request.url);
  for (const name of searchParams.keys()) {
    if (searchParams.getAll(name).length > 1) {
      throw invalid("A query parameter must not be repeated");
    }
    if (CREDENTIALS.has(name)) {
      throw invalid("Credentials must not stand in the query");
    }
  }
  return searchParams;
}

function readExpired(query: URLSearchParams): boolean {
  const value = query.get("expired");
  if (value === null || value === "true" || value === "false") return value === "true";
  throw invalid("The parameter expired must be true or false");
}

/** Whether a request says that a body comes with it (RFC 9112 §6.3). */
export function hasBody(headers: Headers): boolean {
  const length = headers.get("content-length") ?? "0";
  return length !== "0" || headers.has("transfer-encoding") || headers.has("content-type");
}
