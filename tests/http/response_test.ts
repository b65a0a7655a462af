import assert from "node:assert/strict";
import fc from "fast-check";
import { Hono } from "hono";
import {
  DomainError,
  type ErrorCode,
  keyUnreadable,
  storageUnavailable,
} from "../../lib/base/errors.ts";
import { createPublishedResponse } from "../../lib/http/conditional_response.ts";
import {
  errorResponse,
  failureResponse,
  methodNotAllowed,
  secretResponse,
} from "../../lib/http/response.ts";
import { recordingLog } from "../support.ts";
import { RULES, SET } from "./published_set.ts";

/** Every code, with its status if a client may see it. */
const CODES: Record<ErrorCode, number | undefined> = {
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
  storage_unavailable: undefined,
  configuration: undefined,
  secret_unusable: undefined,
  database_unusable: undefined,
  key_unreadable: undefined,
  usage: undefined,
  key_refused: undefined,
  conflict: undefined,
  failed: undefined,
};
const ALL = Object.entries(CODES) as [ErrorCode, number | undefined][];
const STATUS = ALL.filter((entry): entry is [ErrorCode, number] => entry[1] !== undefined);
const INTERNAL = ALL.filter(([, status]) => status === undefined).map(([code]) => code);

/** What a client is told of what it may not know. */
const GENERIC = { error: "server_error", error_description: "The server could not answer" };

Deno.test("errorResponse() gives each code its status and the one shape", async () => {
  for (const [code, status] of STATUS) {
    const response = errorResponse(new DomainError(code, "A sentence"));
    assert.equal(response.status, status, code);
    assert.match(response.headers.get("content-type")!, /^application\/json\b/);
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.deepEqual(await response.json(), { error: code, error_description: "A sentence" });
  }
});

Deno.test("errorResponse() asks for Basic credentials with a 401, and with nothing else", () => {
  for (const [code] of STATUS) {
    const { headers } = errorResponse(new DomainError(code, "A sentence"));
    const challenge = code === "invalid_credentials" ? 'Basic realm="jwks-server"' : null;
    assert.equal(headers.get("www-authenticate"), challenge, code);
  }
});

Deno.test("errorResponse() says when to retry if that is known", () => {
  const retryAfter = (seconds?: number) =>
    errorResponse(
      new DomainError("overloaded", "", seconds === undefined ? {} : { retryAfter: seconds }),
    ).headers.get("retry-after");
  assert.equal(retryAfter(7), "7");
  assert.equal(retryAfter(), null);
});

Deno.test("failureResponse() answers what was expected as it is, and logs nothing", async () => {
  const { log, lines } = recordingLog();
  const response = failureResponse(new DomainError("not_found", "Nothing here"), log);
  assert.equal(response.status, 404);
  assert.equal((await response.json()).error_description, "Nothing here");
  assert.deepEqual(lines, []);
});

Deno.test("failureResponse() answers unusable storage with 503, and logs the fault", async () => {
  const { log, lines } = recordingLog();
  const cause = new Error("SQLITE_BUSY: SELECT * FROM users");
  const response = failureResponse(storageUnavailable("locked", cause), log);
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "1");
  assert.doesNotMatch(await response.text(), /SQL|locked|database|users/i);
  assert.deepEqual(lines.map((line) => JSON.parse(line).level), ["warn"]);
  assert.match(lines[0]!, /locked/);
});

Deno.test("failureResponse() says nothing of an unknown failure, and logs it", async () => {
  const thrown = [
    new Error("hunter2 in /etc/secret", { cause: new Error("hunter3") }),
    keyUnreadable(42, "hunter2"),
    "hunter2",
    undefined,
    { message: "hunter2" },
  ];
  for (const error of thrown) {
    const { log, lines } = recordingLog();
    const response = failureResponse(error, log);
    assert.equal(response.status, 500);
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.deepEqual(await response.json(), GENERIC);
    assert.deepEqual(lines.map((line) => JSON.parse(line).level), ["error"]);
  }
});

/** What may be in an error that no client may see. */
const hiddenErrors = fc.record({
  code: fc.constantFrom(...INTERNAL),
  words: fc.string({ minLength: 1 }).map((text) => `hunter2 ${text}`),
}).map(({ code, words }) =>
  new DomainError(code, words, {
    hints: [words],
    row: words,
    reason: words,
    fault: "damaged",
    cause: new Error(words),
  })
);

Deno.test("errorResponse() says nothing of an error that is not for clients, whatever it holds", async () => {
  const bare = new DomainError("failed", "");
  const [empty, headers] = [await errorResponse(bare).text(), [...errorResponse(bare).headers]];
  assert.deepEqual(JSON.parse(empty), GENERIC);
  await fc.assert(fc.asyncProperty(hiddenErrors, async (error) => {
    const response = errorResponse(error);
    assert.equal(response.status, 500);
    assert.deepEqual([...response.headers], headers);
    assert.equal(await response.text(), empty);
  }));
});

Deno.test("failureResponse() says nothing of an error that is not for clients, and logs it", async () => {
  await fc.assert(fc.asyncProperty(hiddenErrors, async (error) => {
    const { log, lines } = recordingLog();
    const response = failureResponse(error, log);
    const seen = JSON.stringify([[...response.headers], await response.json()]);
    assert.equal(response.status, error.code === "storage_unavailable" ? 503 : 500);
    assert.doesNotMatch(seen, /hunter2|damaged/);
    assert.equal(lines.length, 1);
    assert.ok(JSON.parse(lines[0]!).error.startsWith("hunter2"));
  }));
});

Deno.test("failureResponse() names the fault of the storage in the log alone", async () => {
  for (const fault of ["locked", "full", "read-only", "damaged", "unreachable"] as const) {
    const { log, lines } = recordingLog();
    const response = failureResponse(storageUnavailable(fault), log);
    assert.equal(response.headers.get("retry-after"), "1");
    const { error, error_description } = await response.json();
    assert.equal(error, "overloaded");
    assert.ok(!error_description.includes(fault));
    assert.equal(JSON.parse(lines[0]!).fault, fault);
  }
});

Deno.test("Every response says that it is of the type that it names", async () => {
  const app = new Hono().get("/", (context) => secretResponse(context, {}, 200));
  const { log } = recordingLog();
  const responses = [
    ...ALL.map(([code]) => errorResponse(new DomainError(code, "A sentence"))),
    ...[new Error("x"), "x", storageUnavailable("full")].map((error) =>
      failureResponse(error, log)
    ),
    methodNotAllowed("POST"),
    createPublishedResponse(RULES)(SET, 0, null),
    createPublishedResponse(RULES)(SET, 0, SET.etag),
    await app.request("/"),
  ];
  for (const { status, headers } of responses) {
    assert.equal(headers.get("x-content-type-options"), "nosniff", String(status));
  }
});

Deno.test("errorResponse() ends the connection when a body was too slow, and only then", () => {
  for (const [code, status] of STATUS) {
    const { headers } = errorResponse(new DomainError(code, "A sentence"));
    assert.equal(headers.get("connection"), status === 408 ? "close" : null, code);
  }
});

Deno.test("methodNotAllowed() is a 405 that lists the methods", async () => {
  const response = methodNotAllowed("GET, HEAD");
  assert.equal(response.status, 405);
  assert.equal(response.headers.get("allow"), "GET, HEAD");
  assert.equal((await response.json()).error, "method_not_allowed");
});

Deno.test("secretResponse() is kept by no cache", async () => {
  const app = new Hono().get("/", (context) => secretResponse(context, { token: "t" }, 201));
  const response = await app.request("/");
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.deepEqual(await response.json(), { token: "t" });
});
