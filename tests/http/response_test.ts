import assert from "node:assert/strict";
import { Hono } from "hono";
import {
  DomainError,
  type ErrorCode,
  keyUnreadable,
  storageUnavailable,
} from "../../lib/base/errors.ts";
import type { PublishedSet } from "../../lib/keys/published_set.ts";
import {
  errorResponse,
  failureResponse,
  methodNotAllowed,
  publishedSetResponse,
  secretResponse,
} from "../../lib/http/response.ts";
import { recordingLog } from "../support.ts";

const STATUS: [ErrorCode, number][] = [
  ["invalid_request", 400],
  ["invalid_credentials", 401],
  ["access_denied", 403],
  ["not_found", 404],
  ["method_not_allowed", 405],
  ["request_timeout", 408],
  ["already_registered", 409],
  ["payload_too_large", 413],
  ["unsupported_media_type", 415],
  ["rate_limited", 429],
  ["overloaded", 503],
];

const SET: PublishedSet = {
  body: new TextEncoder().encode('{"keys":["ä"]}'),
  etag: '"tag"',
  from: 0,
  until: 1000,
};

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
  for (const [code, status] of STATUS) {
    const { headers } = errorResponse(new DomainError(code, "A sentence"));
    const challenge = status === 401 ? 'Basic realm="jwks-server"' : null;
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
    assert.deepEqual(await response.json(), {
      error: "server_error",
      error_description: "The server could not answer",
    });
    assert.deepEqual(lines.map((line) => JSON.parse(line).level), ["error"]);
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

Deno.test("publishedSetResponse() has the set, its length in bytes and its validators", async () => {
  const { status, headers, body } = publishedSetResponse(SET, 0, null);
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), "application/jwk-set+json");
  assert.equal(headers.get("content-length"), String(SET.body.length));
  assert.equal(headers.get("etag"), '"tag"');
  assert.equal(headers.get("cache-control"), "public, max-age=300, must-revalidate");
  assert.deepEqual(new Uint8Array(await new Response(body).arrayBuffer()), SET.body);
});

Deno.test("publishedSetResponse() lets caches keep the set only until a key leaves it", () => {
  const caching = (now: number) =>
    publishedSetResponse(SET, now, null).headers.get("cache-control");
  assert.equal(caching(700), "public, max-age=300, must-revalidate");
  assert.equal(caching(900), "public, max-age=100, must-revalidate");
  assert.equal(caching(1000), "public, max-age=1, must-revalidate");
});

Deno.test("publishedSetResponse() is 304 when the client holds the set", () => {
  const held = ['"tag"', 'W/"tag"', '"old", "tag"', '"a","tag" , "b"', 'W/"a", W/"tag"', "*"];
  for (const ifNoneMatch of held) {
    const response = publishedSetResponse(SET, 0, ifNoneMatch);
    assert.equal(response.status, 304, ifNoneMatch);
    assert.equal(response.body, null);
    assert.equal(response.headers.get("etag"), '"tag"');
    assert.equal(
      response.headers.get("cache-control"),
      "public, max-age=300, must-revalidate",
    );
  }
});

Deno.test("publishedSetResponse() is 200 when the client holds another set", () => {
  for (const ifNoneMatch of ["", "tag", '"ta"', '"tagg"', '"TAG"', '"old"', 'w/"tag"', '"*"']) {
    assert.equal(publishedSetResponse(SET, 0, ifNoneMatch).status, 200, ifNoneMatch);
  }
});
