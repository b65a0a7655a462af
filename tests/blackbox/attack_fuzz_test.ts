/** Requests with bytes changed at random: whatever comes, each answer is safe and the server serves on. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { converse, latin1, request } from "./conversation.ts";
import { Server, UNLIMITED } from "./harness.ts";
import { assertSafe, MARK } from "./safe_answer.ts";

/** The same on every run; another one finds other things. */
const SEED = 9112;

/** Requests sent at the same moment, and how often. */
const BATCH = 64;
const ROUNDS = 30;

/** How long to wait for the end of a connection that the server has no reason to end, in milliseconds. */
const PATIENCE = 60;

const JSON_TYPE = "Content-Type: application/json";
const FORM_TYPE = "Content-Type: application/x-www-form-urlencoded";

/** A POST with a body of the length that it says. */
function post(path: string, type: string, body: string, ...headers: string[]): string {
  return request(`POST ${path}`, [type, `Content-Length: ${body.length}`, ...headers], body);
}

const SOUND = [
  request("GET /.well-known/jwks.json", ['If-None-Match: "x", W/"y"']),
  request("HEAD /.well-known/openid-configuration"),
  request("DELETE /token"),
  request("OPTIONS /.well-known/jwks.json", ["Origin: null", "Access-Control-Request-Method: GET"]),
  post("/auth", JSON_TYPE, `{"username":"${MARK}","password":"${MARK}","expired":false}`),
  post(`/auth?expired=true&x=${MARK}`, JSON_TYPE, "{}", "Authorization: Basic ZnV6ejp4"),
  post("/register", JSON_TYPE, `{"username":"\\u007aq","email":"${MARK}@a.example"}`),
  post(
    "/token",
    FORM_TYPE,
    `grant_type=client_credentials&client_id=${MARK}&client_secret=${MARK}&scope=${MARK}`,
  ),
  post("/token", FORM_TYPE, "grant_type=client_credentials", "DPoP: e30.e30.AA"),
  post("/introspect", FORM_TYPE, "token=e30.e30.AA&client_id=a&client_secret=%62"),
  request(
    "POST /auth",
    [JSON_TYPE, "Transfer-Encoding: chunked"],
    "2;a=b\r\n{}\r\n0\r\nT: u\r\n\r\n",
  ),
];

/** Bytes that mean something to some reader. */
const TELLING = fc.constantFrom(
  ...[
    "\0",
    "\r",
    "\n",
    "\r\n",
    "\r\n\r\n",
    " ",
    "\t",
    ":",
    ";",
    ",",
    "%",
    "%00",
    "%0d%0a",
    "/",
    "\\",
  ],
  ...[
    "?",
    "#",
    "&",
    "=",
    '"',
    "'",
    "{",
    "}",
    "[",
    "<",
    "\x1b[2J",
    "\x7f",
    "\xff",
    "\xc3\xa4",
    "\xed\xa0\x80",
  ],
  ...[
    "HTTP/1.1",
    "Host: a",
    "Content-Length: 1\r\n",
    "Transfer-Encoding: chunked\r\n",
    "chunked",
    "__proto__",
  ],
  ...["0", "-1", "99999999999999999999", "1e999", "../", "localhost", "a".repeat(9000)],
);

const noise = fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) =>
  String.fromCharCode(...bytes)
);
const edit = fc.record({
  /** In ten thousandths of the length. */
  at: fc.noBias(fc.nat(9999)),
  removed: fc.nat(6),
  put: fc.oneof(TELLING, noise, fc.constant("")),
});
const mutated = fc.record({
  sound: fc.constantFrom(...SOUND),
  edits: fc.array(edit, { minLength: 1, maxLength: 2 }),
}).map(({ sound, edits }) =>
  edits.reduce((text, { at, removed, put }) => {
    const place = Math.floor(at * text.length / 10_000);
    return text.slice(0, place) + put + text.slice(place + removed);
  }, sound)
);
const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => String.fromCharCode(...bytes));
const requests = fc.oneof({ arbitrary: mutated, weight: 12 }, { arbitrary: random, weight: 1 });

let server: Server;
Deno.test.beforeAll(async () => {
  server = await Server.start({ env: { ...UNLIMITED, SIGNING_ALG: "EdDSA" } });
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

Deno.test("requests with bytes changed at random get safe answers, and the server serves on", async () => {
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(fc.array(requests, { minLength: BATCH, maxLength: BATCH }), async (batch) => {
      await Promise.all(batch.map(async (bytes) => {
        const isHead = /^\s*HEAD /.test(bytes);
        const { answers } = await converse(server.url, latin1(bytes), {
          patience: PATIENCE,
          isHead,
        });
        for (const answer of answers) {
          assertSafe(answer);
          seen.add(answer.status);
        }
      }));
    }),
    { seed: SEED, numRuns: ROUNDS, endOnFailure: true },
  );
  for (const status of [200, 400, 401, 404, 405, 415]) assert.ok(seen.has(status), String(status));
  assert.equal((await server.jwks()).status, 200);
  await server.token(await server.register());
  assert.ok(
    !/"level":"(error|warn)"/.test(server.stderr.replace(/.*secret.*/g, "")),
    server.stderr,
  );
});
