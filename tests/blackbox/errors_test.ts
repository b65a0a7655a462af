import assert from "node:assert/strict";
import { type Answer, parseResponse } from "./client.ts";
import { Server, UNLIMITED } from "./harness.ts";

let server: Server;
Deno.test.beforeAll(async () => void (server = await Server.start({ env: UNLIMITED })));
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

/** Checks the one shape of an error. */
function assertError(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, answer.text);
  assert.deepEqual(Object.keys(answer.json), ["error", "error_description"]);
  assert.equal(answer.json.error, code);
  assert.match(answer.json.error_description, /^[A-Z][^\n]*$/);
  assert.match(answer.headers.get("content-type")!, /^application\/json\b/);
  assert.equal(answer.headers.get("cache-control"), "no-store");
}

Deno.test("an unknown path is 404, however it is written", async () => {
  const paths = [
    "/nothing",
    "/auth/",
    "/AUTH",
    "//auth",
    "/auth/../nothing",
    "/.well-known",
    "/%00",
  ];
  for (const path of paths) assertError(await server.request(path), 404, "not_found");
});

for (const path of ["/auth", "/register"]) {
  Deno.test(`any method but POST on ${path} is 405 and says so`, async () => {
    for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"]) {
      const answer = await server.request(path, { method });
      assert.equal(answer.status, 405, method);
      assert.equal(answer.headers.get("allow"), "POST");
      if (method !== "HEAD") assertError(answer, 405, "method_not_allowed");
    }
  });
}

Deno.test("any method but GET and HEAD on the JWKS is 405 and says so", async () => {
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"]) {
    const answer = await server.request("/.well-known/jwks.json", { method });
    assertError(answer, 405, "method_not_allowed");
    assert.equal(answer.headers.get("allow"), "GET, HEAD");
  }
});

Deno.test("a body with a long Content-Length is 413 before it is sent", async () => {
  for (const path of ["/auth", "/register"]) {
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\n` +
      "Content-Type: application/json\r\nContent-Length: 100000000\r\n\r\n";
    const { status, body } = parseResponse(await server.exchange(head));
    assert.equal(status, 413);
    assert.equal(JSON.parse(body).error, "payload_too_large");
  }
});

Deno.test("a body of more than 8 KiB is 413, also without a Content-Length", async () => {
  const padded = (size: number) => {
    const body = JSON.stringify({ username: "a", password: "a" });
    return new TextEncoder().encode(body.padEnd(size));
  };
  assert.equal((await server.post("/auth", padded(8192))).status, 401);
  assertError(await server.post("/auth", padded(8193)), 413, "payload_too_large");
  const chunked = (size: number) =>
    server.request("/auth", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: new Blob([padded(size)]).stream(),
    });
  assert.equal((await chunked(8192)).status, 401);
  assertError(await chunked(8193), 413, "payload_too_large");
});

Deno.test("a body of another media type is 415", async () => {
  const body = JSON.stringify({ username: "a", email: "a@example.com" });
  for (const type of ["text/plain", "application/xml", "application/jsonp", "json", ""]) {
    const answer = await server.post("/register", body, { "content-type": type });
    assertError(answer, 415, "unsupported_media_type");
  }
  const bare = await server.request("/register", {
    method: "POST",
    body: new TextEncoder().encode(body),
  });
  assertError(bare, 415, "unsupported_media_type");
  for (const type of ["application/json; charset=utf-8", "Application/JSON"]) {
    const user = { username: crypto.randomUUID(), email: `${crypto.randomUUID()}@example.com` };
    assert.equal((await server.post("/register", user, { "content-type": type })).status, 201);
  }
});

Deno.test("credentials in the query are refused", async () => {
  const { username, password } = await server.register();
  const answer = await server.post(`/auth?password=${password}`, { username, password });
  assertError(answer, 400, "invalid_request");
  assert.ok(!answer.text.includes(password));
});

Deno.test("no error tells what is inside", async () => {
  const answers = await Promise.all([
    server.request("/nothing'--"),
    server.post("/auth", "{"),
    server.post("/auth", { username: "' OR 1=1 --", password: "x" }),
    server.post("/auth", { username: "__proto__", password: "constructor" }),
    server.post("/register", { username: { toString: 1 }, email: 1 }),
  ]);
  for (const { status, text } of answers) {
    assert.ok(status >= 400 && status < 500, text);
    assert.ok(!/sqlite|zod|hono|deno|\.ts\b|node_modules|\bat \S+:\d|stack/i.test(text), text);
  }
});
