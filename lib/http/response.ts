/** Responses: every error in one shape, and the JWK set with its validators. */

import type { Context } from "hono";
import { type ErrorCode, RequestError, StorageUnavailableError } from "../base/errors.ts";
import { errorFields, type Log } from "../base/log.ts";
import { maxAge, type PublishedSet } from "../keys/published_set.ts";

/** The HTTP status of each code (RFC 9110 §15, RFC 6585 §4). */
const STATUS = {
  invalid_request: 400,
  invalid_credentials: 401,
  access_denied: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  already_registered: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  server_error: 500,
  overloaded: 503,
} as const satisfies Record<ErrorCode, number>;

/** What a 401 asks for (RFC 7617 §2). */
const CHALLENGE = 'Basic realm="jwks-server"';

/** Answers with the one error shape, the one of OAuth (RFC 6749 §5.2). */
export function errorResponse(error: RequestError): Response {
  const headers = new Headers({ "cache-control": "no-store" });
  if (error.code === "invalid_credentials") headers.set("www-authenticate", CHALLENGE);
  if (error.retryAfter !== undefined) headers.set("retry-after", String(error.retryAfter));
  const body = { error: error.code, error_description: error.message };
  return Response.json(body, { status: STATUS[error.code], headers });
}

/**
 * Turns whatever was thrown into a response. What is not a `RequestError` is logged here and says
 * nothing of itself to the client.
 */
export function failureResponse(error: unknown, log: Log): Response {
  if (error instanceof RequestError) return errorResponse(error);
  if (error instanceof StorageUnavailableError) {
    log.warn("a request was refused: the database cannot be used", errorFields(error));
    const description = "The server cannot do this just now";
    return errorResponse(new RequestError("overloaded", description, 1));
  }
  log.error("a request failed", errorFields(error));
  return errorResponse(new RequestError("server_error", "The server could not answer"));
}

/** Answers a method that a route does not have (RFC 9110 §15.5.6). */
export function methodNotAllowed(allowed: string): Response {
  const response = errorResponse(
    new RequestError("method_not_allowed", `The method must be ${allowed.replace(", ", " or ")}`),
  );
  response.headers.set("allow", allowed);
  return response;
}

/** Answers with something that no cache may keep: a password or a token (RFC 6749 §5.1). */
export function secretResponse(context: Context, body: Record<string, unknown>, status: 200 | 201) {
  return context.json(body, status, { "cache-control": "no-store" });
}

/** Answers a GET or HEAD of the JWK set, with 304 when the client holds it already. */
export function publishedSetResponse(
  set: PublishedSet,
  now: number,
  ifNoneMatch: string | null,
): Response {
  const caching = {
    "cache-control": `public, max-age=${maxAge(set, now)}, must-revalidate`,
    "etag": set.etag,
  };
  if (ifNoneMatch !== null && matches(ifNoneMatch, set.etag)) {
    return new Response(null, { status: 304, headers: caching });
  }
  return new Response(set.body, {
    headers: {
      "content-type": "application/jwk-set+json",
      "content-length": String(set.body.length), // said for HEAD, too
      ...caching,
    },
  });
}

/** `If-None-Match` compares weakly (RFC 9110 §13.1.2). */
function matches(ifNoneMatch: string, etag: string): boolean {
  return ifNoneMatch.split(",").map((tag) => tag.trim().replace(/^W\//, ""))
    .some((tag) => tag === "*" || tag === etag);
}
