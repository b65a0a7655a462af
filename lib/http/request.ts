/** Requests from outside, turned into typed values or refused with a clear error. */

import type { z } from "zod";
import type { Credentials } from "../accounts/accounts.ts";
import { readBasic } from "./basic.ts";
import { invalid, isForm, readForm, readJson, validate } from "./parsed_body.ts";
import { AuthBody } from "./schemas.ts";

/** What `POST /auth` asks for. */
export interface AuthRequest {
  credentials: Credentials;
  isExpired: boolean;
}

/**
 * Reads what `POST /auth` asks for: credentials in the body, as JSON or as a form, in HTTP Basic
 * (RFC 7617), or the same ones in both.
 *
 * @throws {DomainError} as `readJson`, `readForm` and `readQuery` do; `invalid_request` when the credentials in
 * the two places differ.
 */
export async function readAuthRequest(request: Request): Promise<AuthRequest> {
  const asksExpired = readExpired(readQuery(request));
  const basic = readBasic(request.headers.get("authorization"));
  if (basic === undefined) {
    const { expired = false, ...credentials } = await readAuthBody(request, AuthBody);
    return { credentials, isExpired: asksExpired || expired };
  }
  const body = hasBody(request.headers) ? await readAuthBody(request, AuthBody.partial()) : {};
  const { username = basic.username, password = basic.password, expired = false } = body;
  if (username !== basic.username || password !== basic.password) {
    throw invalid("The credentials in the body and in Authorization differ");
  }
  return { credentials: basic, isExpired: asksExpired || expired };
}

/** A form's fields are text, in which `expired` says what JSON says with `true` and `false`. */
async function readAuthBody<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
): Promise<z.infer<Schema>> {
  if (!isForm(request.headers)) return await readJson(request, schema);
  const { expired, ...fields } = Object.fromEntries(await readForm(request));
  const flag = expired === undefined
    ? {}
    : { expired: { true: true, false: false }[expired] ?? expired };
  return validate(schema, { ...fields, ...flag });
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
