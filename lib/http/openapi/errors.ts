/** The errors as the description tells them: codes, what each means, and which come with which status. */

import { z } from "zod";
import { CHALLENGE } from "../response.ts";
import { type ErrorName, STATUSES } from "./error_names.ts";
import { headers } from "./headers.ts";
import { type Content, contentOf, type Json, schemaRef } from "./route.ts";

/** What each code means. */
const MEANINGS: Readonly<Record<ErrorName, string>> = {
  invalid_request: "The request is malformed, or its Host header is.",
  invalid_credentials: "The username or the password is wrong.",
  invalid_client: "The client is not authenticated.",
  invalid_dpop_proof: "The DPoP proof is not valid, or one is missing.",
  unsupported_grant_type: "The grant_type is another than client_credentials.",
  invalid_scope: "The client may not have this scope.",
  invalid_target: "The client may not have a token for this service.",
  access_denied: "It is not allowed.",
  not_found: "There is nothing of this name.",
  method_not_allowed: "The path has other methods; the header Allow names them.",
  request_timeout: "The body took longer than 10 seconds to arrive.",
  already_registered: "The username or the e-mail address is taken.",
  payload_too_large: "The body has more than 8192 bytes.",
  unsupported_media_type: "The Content-Type is another, or the body is encoded.",
  rate_limited: "Too many requests; the header Retry-After says when to try again.",
  overloaded: "The server cannot do this just now; the header Retry-After says when to try again.",
  server_error: "The server could not answer; its log says why.",
};

const NAMES = Object.keys(MEANINGS) as ErrorName[];

/** The body of every error (RFC 6749 §5.2). */
export const ErrorBody = z.object({
  error: z.enum(NAMES).describe("What went wrong, for programs."),
  error_description: z.string().describe("What went wrong, for people."),
}).describe("Every error has this shape (RFC 6749 §5.2).");

/** The errors of every route: of its Host header, of a server that cannot, and of one that failed. */
export const EVERYWHERE = [
  "invalid_request",
  "overloaded",
  "server_error",
] as const satisfies readonly ErrorName[];

/** Every error in a table, as Markdown. */
export function errorTable(): string {
  const rows = NAMES.map((name) => `| ${STATUSES[name]} | \`${name}\` | ${MEANINGS[name]} |`);
  return ["| status | error | meaning |", "|---|---|---|", ...rows].join("\n");
}

/**
 * The responses that these errors are, by their statuses.
 *
 * @param unready what a 503 may be besides.
 */
export function errorResponses(
  names: readonly ErrorName[],
  unready: readonly Content[] = [],
): Record<string, Json> {
  const statuses = [...new Set(names.map((name) => STATUSES[name]))];
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      responseOf(
        status,
        names.filter((name) => STATUSES[name] === status),
        status === STATUSES.overloaded ? unready : [],
      ),
    ]),
  );
}

function responseOf(
  status: number,
  names: readonly ErrorName[],
  others: readonly Content[],
): Json {
  const schema = {
    allOf: [schemaRef("Error"), { type: "object", properties: { error: { enum: names } } }],
  };
  const examples = Object.fromEntries(
    names.map((name) => [
      name,
      { summary: MEANINGS[name], value: { error: name, error_description: MEANINGS[name] } },
    ]),
  );
  return {
    description: names.map((name) => MEANINGS[name]).join(" Or: "),
    headers: others.length === 0 ? headersOf(status, names) : RETRIED,
    content: { "application/json": { schema, examples }, ...contentOf(others) },
  };
}

/** What all answers have that are to be asked for again, whatever caches may do with them. */
const RETRIED = headers({ "X-Content-Type-Options": "NoSniff", "Retry-After": "RetryAfter" });

function headersOf(status: number, names: readonly ErrorName[]): Json {
  const common = headers({ "Cache-Control": "NoStore", "X-Content-Type-Options": "NoSniff" });
  if (status === 429 || status === 503) {
    return { ...common, ...headers({ "Retry-After": "RetryAfter" }) };
  }
  if (status !== 401) return common;
  const description = names.includes("invalid_credentials")
    ? "How to authenticate."
    : "How to authenticate, for who used the header Authorization (RFC 6749 §5.2).";
  const required = names.includes("invalid_credentials");
  const schema = { type: "string", const: CHALLENGE };
  return { ...common, "WWW-Authenticate": { description, required, schema } };
}
