/** Responses: every error in one shape, with its status, and what no cache may keep. */

import type { Context } from "hono";
import { DomainError, type ErrorCode, isDomainError } from "../base/errors.ts";
import { errorFields, failureFields, type Log, type LogFields } from "../base/log.ts";
import type { Health } from "./public_schemas.ts";

/** The HTTP status of each code that a client may see (RFC 9110 §15, RFC 6585 §4). */
export const ERROR_STATUS = {
  invalid_request: 400,
  invalid_credentials: 401,
  invalid_client: 401,
  invalid_dpop_proof: 400,
  unsupported_grant_type: 400,
  invalid_scope: 400,
  invalid_target: 400,
  access_denied: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  already_registered: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  overloaded: 503,
} as const satisfies Partial<Record<ErrorCode, number>>;

const STATUS: Partial<Record<ErrorCode, number>> = ERROR_STATUS;

/** What a client is told of whatever it may not know. */
export const UNKNOWN_FAILURE = { code: "server_error", status: 500 } as const;

/** What every answer says: it is of the type that it names, whatever it looks like. */
export const EVERYWHERE = { "x-content-type-options": "nosniff" };

/** What a 401 asks for (RFC 7617 §2). */
export const CHALLENGE = 'Basic realm="jwks-server"';

/**
 * Answers with the one error shape, the one of OAuth (RFC 6749 §5.2). What a client may not know
 * becomes `server_error`, which says nothing of itself.
 */
export function errorResponse({ code, message, data }: DomainError): Response {
  const status = STATUS[code];
  const headers = new Headers({ ...EVERYWHERE, "cache-control": "no-store" });
  if (code === "request_timeout") headers.set("connection", "close"); // the rest may never come
  if (code === "invalid_credentials") headers.set("www-authenticate", CHALLENGE);
  if (data.retryAfter !== undefined) headers.set("retry-after", String(data.retryAfter));
  const body = status === undefined
    ? { error: UNKNOWN_FAILURE.code, error_description: "The server could not answer" }
    : { error: code, error_description: message };
  return Response.json(body, { status: status ?? UNKNOWN_FAILURE.status, headers });
}

/**
 * Turns whatever was thrown into a response; what a client may not know is logged here, with the
 * `fields` that tell which request it was.
 */
export function failureResponse(error: unknown, log: Log, fields: LogFields = {}): Response {
  if (isDomainError(error) && STATUS[error.code] !== undefined) return errorResponse(error);
  if (isDomainError(error, "storage_unavailable")) {
    const { fault } = error.data;
    log.warn("a request was refused: the database cannot be used", {
      ...failureFields(error),
      ...fields,
      ...(fault === undefined ? {} : { fault }),
    });
    const description = "The server cannot do this just now";
    return errorResponse(new DomainError("overloaded", description, { retryAfter: 1 }));
  }
  log.error("a request failed", { ...errorFields(error), ...fields });
  return errorResponse(new DomainError("failed", ""));
}

/** Answers a method that a route does not have (RFC 9110 §15.5.6). */
export function methodNotAllowed(allowed: string): Response {
  const response = errorResponse(
    new DomainError("method_not_allowed", `The method must be ${allowed.replace(", ", " or ")}`),
  );
  response.headers.set("allow", allowed);
  return response;
}

/** Answers with something that no cache may keep: a password or a token (RFC 6749 §5.1). */
export function secretResponse<Body extends Record<string, unknown>>(
  context: Context,
  body: Body,
  status: 200 | 201,
): Response {
  return context.json(body, status, { ...EVERYWHERE, "cache-control": "no-store" });
}

/** Answers a GET or HEAD that asks whether all is well. */
export function okResponse(): Response {
  return Response.json({ status: "ok" } satisfies Health, {
    headers: { ...EVERYWHERE, "cache-control": "no-store" },
  });
}

/** Answers a GET or HEAD of the metrics. */
export function metricsResponse(text: string, contentType: string): Response {
  const headers = { ...EVERYWHERE, "cache-control": "no-store", "content-type": contentType };
  return new Response(text, { headers });
}
