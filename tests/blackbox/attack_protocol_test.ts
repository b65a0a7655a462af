/** The rules of RFC 9112 for requests, broken over sockets; and paths and methods that seem others. */

import assert from "node:assert/strict";
import { type Conversation, converse, request } from "./conversation.ts";
import { Server, UNLIMITED } from "./harness.ts";
import { AMBIGUOUS, MALFORMED, SMUGGLED } from "./malformed_requests.ts";
import { assertSafe } from "./safe_answer.ts";

const JWKS = "/.well-known/jwks.json";

let server: Server;
Deno.test.beforeAll(async () => {
  server = await Server.start({ env: { ...UNLIMITED, SIGNING_ALG: "EdDSA" } });
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

/** What comes back for these bytes, each answer found safe. */
async function ask(bytes: string | Uint8Array, isHead = false): Promise<Conversation> {
  const conversation = await converse(server.url, bytes, { isHead });
  conversation.answers.forEach(assertSafe);
  return conversation;
}

function statuses({ answers }: Conversation): number[] {
  return answers.map(({ status }) => status);
}

/** The status of the one answer to this request line. */
async function statusOf(line: string, headers: string[] = [], body = ""): Promise<number> {
  const conversation = await ask(request(line, headers, body), line.startsWith("HEAD "));
  assert.deepEqual([conversation.isClosed, conversation.rest], [true, ""], line);
  assert.equal(conversation.answers.length, 1, line);
  return conversation.answers[0]!.status;
}

Deno.test("a body whose end is in doubt gets one refusal or none, and what follows it is no request", async () => {
  await Promise.all(
    Object.entries(AMBIGUOUS).map(async ([what, bytes]) => {
      const { answers, isClosed, rest } = await ask(bytes + SMUGGLED);
      assert.deepEqual([isClosed, rest], [true, ""], what);
      assert.ok(answers.length <= 1, what);
      for (const { status } of answers) assert.equal(status, 400, what);
    }),
  );
});

Deno.test("a request that is no HTTP/1.1 gets one refusal, and the connection ends", async () => {
  await Promise.all(
    Object.entries(MALFORMED).map(async ([what, bytes]) => {
      const { answers, isClosed, rest } = await ask(bytes);
      assert.deepEqual([isClosed, rest, answers.length], [true, "", 1], what);
      assert.ok([400, 414, 431].includes(answers[0]!.status), `${what}: ${answers[0]!.status}`);
    }),
  );
});

Deno.test("pipelined requests are answered each by its own answer, in their order", async () => {
  const post = (path: string, body: string) =>
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`;
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const login = JSON.stringify({ username: "nobody", password: "nothing" });
  const requests = [
    ...[get(JWKS), post("/auth", login), get("/nothing"), post("/register", "{}"), get("/auth")],
    ...["\r\n", post("/auth", SMUGGLED), get(JWKS)], // an empty line before a request is let pass
  ];
  const { answers, rest } = await ask(requests.join("") + request("GET /nothing"));
  assert.deepEqual(answers.map(({ status }) => status), [200, 401, 404, 400, 405, 400, 200, 404]);
  assert.equal(rest, "");
});

Deno.test("what is read leniently is read in one way: so many requests, so many answers", async () => {
  const get = "GET /nothing HTTP/1.1\r\nHost: localhost\r\n";
  const post = "POST /auth HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  const lenient: Record<string, [string, number]> = {
    "bare LFs (RFC 9112 §2.2)": [`${get}\r\n`.replaceAll("\r", ""), 404],
    "empty lines first (§2.2)": [`\r\n\r\n${get}\r\n`, 404],
    "zeros before a length": [`${post}Content-Length: 0002\r\n\r\n{}`, 400],
    "a length twice (§6.3)": [`${post}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`, 400],
    "white space about a value (§5.1)": [`${get}X:\t y \t\r\n\r\n`, 404],
  };
  for (const [what, [bytes, status]] of Object.entries(lenient)) {
    const conversation = await ask(bytes + request(`GET ${JWKS}`));
    assert.deepEqual(statuses(conversation), [status, 200], what);
  }
});

Deno.test("HTTP/1.0 gets one answer and no more, and must name the host, too", async () => {
  const get = `GET ${JWKS} HTTP/1.0\r\n`;
  const named = await ask(`${get}Host: localhost\r\n\r\n${SMUGGLED}`);
  assert.deepEqual([statuses(named), named.isClosed], [[200], true]);
  const unnamed = await ask(`${get}\r\n`);
  assert.deepEqual([statuses(unnamed), unnamed.isClosed], [[400], true]);
});

Deno.test("a body that is not asked for is no request", async () => {
  const length = `Content-Length: ${SMUGGLED.length}`;
  for (const [line, status] of [[`DELETE ${JWKS}`, 405], [`GET ${JWKS}`, 200]] as const) {
    assert.equal(await statusOf(line, [length], SMUGGLED), status);
  }
});

Deno.test("a body without an end is refused while it is still being sent", async () => {
  const head = "POST /auth HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
    "Transfer-Encoding: chunked\r\n\r\n";
  const chunk = `1000\r\n${"[".repeat(4096)}\r\n`;
  const endless = new TextEncoder().encode(head + chunk.repeat(5000)); // 20 MB: buffers hold less
  const { answers } = await ask(endless);
  assert.deepEqual(answers.map(({ status }) => status), [413]);
});

Deno.test("a path has one spelling: every other is 404 and reaches no route", async () => {
  const paths = [
    ...[
      "/%61uth",
      "/auth%00",
      "/auth%20",
      "/auth%2f",
      "/%2e/auth",
      "/auth%23",
      "/auth%3Fa",
      "/auth%",
    ],
    ...[
      "//auth",
      "/auth/",
      "/auth//",
      "/./auth",
      "/a/../auth",
      "/auth/.",
      "/auth;x",
      "/auth;",
      "/;/auth",
    ],
    ...[
      "/AUTH",
      "/Auth",
      "/\\auth",
      "/auth\\",
      "/.\\auth",
      "/auth#",
      "/auth#x?y",
      "/auth.",
    ],
    ...["/auth.json", "/auth*", "/auth'--", "/{auth}", "/auth|", "/*", "/:path", "/../auth"],
    ...["//localhost/auth", "/http://localhost/auth", "/localhost/auth", "/register/../auth"],
  ];
  await Promise.all(paths.map(async (path) => {
    assert.equal(await statusOf(`POST ${path}`, ["Content-Length: 0"]), 404, path);
  }));
  const spelt = [
    "/%2ewell-known/jwks.json",
    "/.well-known%2fjwks.json",
    "/.well-known/%6awks.json",
  ];
  for (const path of [...spelt, "/.well-known\\jwks.json", `${JWKS}#`, `/${JWKS}`, `${JWKS}/`]) {
    assert.equal(await statusOf(`GET ${path}`), 404, path);
  }
  assert.equal(await statusOf(`GET ${JWKS}?anything=else`), 200);
});

Deno.test("a target in absolute form is its path alone, and no other form is a target", async () => {
  assert.equal(await statusOf(`GET http://localhost${JWKS}`), 200);
  assert.equal(await statusOf("POST http://localhost/auth", ["Content-Length: 0"]), 415);
  for (
    const target of ["http://a:b@localhost/auth", "http://localhost?/auth", "ftp://localhost/auth"]
  ) {
    assert.equal(await statusOf(`POST ${target}`, ["Content-Length: 0"]), 400, target);
  }
  for (
    const line of ["GET localhost:80", "CONNECT localhost:80", "CONNECT /auth", "GET *", "GET auth"]
  ) {
    assert.equal(await statusOf(line), 400, line);
  }
  assert.equal(await statusOf("OPTIONS *"), 404);
});

Deno.test("a method is what the request line says, whatever else names one", async () => {
  const others = ["TRACE", "BREW", "get", "Get", "DELETE", "PROPFIND", "A".repeat(1000)];
  for (const method of others) assert.equal(await statusOf(`${method} ${JWKS}`), 405, method);
  for (const method of ["post", "Post", "GET", "HEAD", "OPTIONS", "TRACE", "PUT"]) {
    assert.equal(await statusOf(`${method} /register`), 405, method);
  }
  const overrides = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];
  const headers = overrides.map((name) => `${name}: POST`);
  assert.equal(await statusOf("GET /register", headers), 405);
  assert.equal(await statusOf("GET /register?_method=POST", headers), 405);
  assert.equal(await statusOf(`GET ${JWKS}`, overrides.map((name) => `${name}: DELETE`)), 200);
  const form = ["Content-Type: application/x-www-form-urlencoded", "Content-Length: 11"];
  assert.equal(await statusOf("POST /nothing", [...form, ...headers], "_method=GET"), 404);
});

Deno.test("what TRACE is sent comes back to nobody", async () => {
  const { answers } = await ask(request(`TRACE ${JWKS}`, ["Authorization: Basic zqmark"]));
  assert.deepEqual(answers.map(({ status }) => status), [405]); // ask() finds no mark in it
});

Deno.test("no other path or protocol is taken from headers that proxies have", async () => {
  const rewritten = ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Path", "X-Forwarded-Prefix"];
  const headers = rewritten.map((name) => `${name}: ${JWKS}`);
  assert.equal(await statusOf("GET /nothing", headers), 404);
  const metadata = "/.well-known/openid-configuration";
  const plain = await ask(request(`GET ${metadata}`));
  const forged = [
    "X-Forwarded-Host: zqmark.example",
    "X-Forwarded-Proto: https",
    "Forwarded: host=x",
  ];
  const seen = await ask(request(`GET http://zqmark.example${metadata}`, forged));
  assert.deepEqual(statuses(plain), [200]);
  assert.equal(seen.answers[0]!.text, plain.answers[0]!.text, "the issuer is as configured");
});

Deno.test("Upgrade and Expect change nothing but what they may", async () => {
  const h2c = ["Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"];
  assert.equal(await statusOf(`GET ${JWKS}`, h2c), 200);
  const socket = ["Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
  assert.equal(await statusOf(`GET ${JWKS}`, [...socket, "Sec-WebSocket-Version: 13"]), 200);
  const type = ["Content-Type: application/json", "Content-Length: 2"];
  for (const expected of ["100-continue", "200-ok", ""]) {
    assert.equal(await statusOf("POST /auth", [...type, `Expect: ${expected}`], "{}"), 400);
  }
});
