/** What every answer must be, whatever was asked, and by whom. */

import assert from "node:assert/strict";
import type { Answer } from "./client.ts";

/** The statuses of refusals that the README tells, with the codes that go with each. */
export const REFUSALS: Record<number, readonly string[]> = {
  400: [
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "invalid_dpop_proof",
    "unsupported_grant_type",
  ],
  401: ["invalid_credentials", "invalid_client"],
  403: ["access_denied"],
  404: ["not_found"],
  405: ["method_not_allowed"],
  408: ["request_timeout"],
  409: ["already_registered"],
  413: ["payload_too_large"],
  415: ["unsupported_media_type"],
  429: ["rate_limited"],
  503: ["overloaded"],
};

const SUCCESSES = [200, 201, 204, 304];

/** What the runtime refuses by itself what is no HTTP with: nothing but the status. */
const UNREAD = [400, 414, 431];

/** What tells of the inside: libraries, SQL, paths, stacks, values that were not meant to be text. */
const INTERNALS = new RegExp(
  "sqlite|constraint|\\bselect\\b|\\binsert\\b|\\bupdate\\b|zod|hono|deno|node_modules|jose" +
    "|\\.ts\\b|\\bat \\S+:\\d|stack|/tmp|/usr|\\.db|\\bundefined\\b|\\[object|\\bNaN\\b|Error:",
);

/** Stands in what attackers send: no answer to be refused with may quote it. */
export const MARK = "zqmark";

/** Asserts what holds for every answer. A HEAD's has no body. */
export function assertSafe({ status, headers, text }: Pick<Answer, "status" | "headers" | "text">) {
  const told = `${status} ${JSON.stringify([...headers])} ${text}`;
  if (UNREAD.includes(status) && text === "" && !headers.has("content-type")) {
    assert.equal(headers.get("content-length"), "0", told);
    return;
  }
  assert.ok(SUCCESSES.includes(status) || status in REFUSALS, told);
  assert.equal(headers.get("x-content-type-options"), "nosniff", told);
  for (const name of ["server", "x-powered-by", "set-cookie", "location"]) {
    assert.equal(headers.get(name), null, told);
  }
  const isSecret = /^\{"(token|access_token|password|active)":/.test(text);
  if (isSecret) assert.equal(headers.get("cache-control"), "no-store", told);
  if (!SUCCESSES.includes(status)) assertRefusal({ status, headers, text }, told);
}

function assertRefusal(
  { status, headers, text }: Pick<Answer, "status" | "headers" | "text">,
  told: string,
) {
  assert.doesNotMatch(told, new RegExp(INTERNALS, "i"));
  assert.ok(!told.includes(MARK), told);
  assert.equal(headers.get("cache-control"), "no-store", told);
  assert.equal(headers.get("content-type"), "application/json", told);
  assert.equal(headers.has("allow"), status === 405, told);
  if (text === "") return; // of a HEAD
  const body = JSON.parse(text);
  assert.deepEqual(Object.keys(body), ["error", "error_description"], told);
  assert.ok(REFUSALS[status]!.includes(body.error), told);
  assert.match(body.error_description, /^[A-Za-z][ -~]*$/, told);
}
