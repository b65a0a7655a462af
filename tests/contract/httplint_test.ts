import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Server, UNLIMITED } from "../blackbox/harness.ts";
import { pythonWith, run } from "./tools.ts";

const python = await pythonWith("httplint");
const SCRIPT = fileURLToPath(new URL("lint_exchange.py", import.meta.url));

interface Note {
  level: "good" | "info" | "warning" | "bad";
  subject: string;
  summary: string;
}

/** What counts as a finding; the other levels praise, or tell what may be done besides. */
const FINDINGS = ["warning", "bad"];

/** What it finds and what is right all the same, with the reason. */
const ACCEPTED: Readonly<Record<string, string>> = {
  "Cache-Control: public is probably not necessary.":
    "it is where a client sends its token along with every request (RFC 9111 §3.5)",
  "A new resource was created without its location being sent.":
    "a client and a password have no URL of their own (RFC 9110 §15.3.2)",
  "The server didn't understand the request.": "it was wrong on purpose",
};

interface Wanted {
  headers?: Record<string, string>;
  body?: string;
}

/** Sends a request, and gives the answer as it stands on the wire with what httplint notes of it. */
async function lint(
  server: Server,
  line: string,
  { headers = {}, body = "" }: Wanted = {},
): Promise<{ status: number; notes: Note[]; response: string }> {
  const fields = {
    "Host": `localhost:${server.port}`,
    "User-Agent": "httplint",
    "Connection": "close",
    ...body === "" ? {} : { "Content-Length": String(body.length) },
    ...headers,
  };
  const head = [`${line} HTTP/1.1`, ...Object.entries(fields).map((pair) => pair.join(": "))];
  const request = `${head.join("\r\n")}\r\n\r\n`;
  const response = await server.exchange(request + body);
  const stdin = JSON.stringify({ request, response });
  const { isContent, said } = await run([python!, SCRIPT], { stdin });
  assert.ok(isContent, said);
  const notes = said.trim().split("\n").map((line): Note => JSON.parse(line));
  return { status: Number(response.slice(9, 12)), notes, response };
}

/** Asserts that the answer has this status, and nothing is wrong with it. */
async function assertClean(server: Server, line: string, status: number, wanted?: Wanted) {
  const { notes, ...answer } = await lint(server, line, wanted);
  assert.equal(answer.status, status, line);
  const findings = notes.filter(({ level, summary }) =>
    FINDINGS.includes(level) && !(summary in ACCEPTED)
  );
  assert.deepEqual(findings, [], `${line}\n${answer.response}`);
  assert.ok(notes.length > 0, "nothing was looked at");
}

const JWKS = "/.well-known/jwks.json";
const JSON_TYPE = { "Content-Type": "application/json" };
const FORM_TYPE = { "Content-Type": "application/x-www-form-urlencoded" };

Deno.test({
  name: "httplint finds nothing in what the server publishes, nor in the answers without a body",
  ignore: python === undefined,
  fn: async () => {
    await using server = await Server.start({ env: UNLIMITED });
    for (
      const path of [
        JWKS,
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/openapi.json",
      ]
    ) {
      const etag = (await server.request(path)).headers.get("etag")!;
      await assertClean(server, `GET ${path}`, 200);
      await assertClean(server, `HEAD ${path}`, 200);
      await assertClean(server, `GET ${path}`, 304, { headers: { "If-None-Match": etag } });
      const preflight = { "Origin": "https://a.example", "Access-Control-Request-Method": "GET" };
      await assertClean(server, `OPTIONS ${path}`, 204, { headers: preflight });
    }
    for (const path of ["/healthz", "/readyz", "/"]) {
      await assertClean(server, `GET ${path}`, 200);
      await assertClean(server, `HEAD ${path}`, 200);
    }
  },
});

Deno.test({
  name: "httplint finds nothing in answers to clients, be they tokens or refusals",
  ignore: python === undefined,
  fn: async () => {
    await using server = await Server.start({ env: { RATE_LIMIT: "8", RATE_WINDOW: "1h" } });
    const user = { username: "alice", email: "alice@example.com" };
    const register = { headers: JSON_TYPE, body: JSON.stringify(user) };
    await assertClean(server, "POST /register", 201, register);
    await assertClean(server, "POST /register", 409, register);
    await assertClean(server, "POST /register", 413, {
      headers: { ...JSON_TYPE, "Content-Length": "10000" },
    });
    await assertClean(server, "POST /register", 415, { headers: FORM_TYPE, body: "a=b" });
    const { username, password } = await server.register();
    const login = JSON.stringify({ username, password });
    await assertClean(server, "POST /auth", 200, { headers: JSON_TYPE, body: login });
    await assertClean(server, "POST /auth", 400, { headers: JSON_TYPE, body: "{" });
    const wrong = JSON.stringify({ username, password: "wrong" });
    await assertClean(server, "POST /auth", 401, { headers: JSON_TYPE, body: wrong });
    const authorization = `Basic ${btoa(`${username}:${password}`)}`;
    const basic = { ...FORM_TYPE, "Authorization": authorization };
    const body = "grant_type=client_credentials";
    await assertClean(server, "POST /token", 200, { headers: basic, body });
    await assertClean(server, "POST /introspect", 200, { headers: basic, body: "token=a" });
    await assertClean(server, "POST /password", 201, { headers: basic, body: "a=" });
    const wrongBasic = { ...FORM_TYPE, "Authorization": `Basic ${btoa("a:b")}` };
    await assertClean(server, "POST /token", 401, { headers: wrongBasic, body });
    await assertClean(server, "POST /token", 401, { headers: FORM_TYPE, body });
    await assertClean(server, "POST /token", 429, { headers: basic, body });
    await assertClean(server, "GET /nothing", 404);
    await assertClean(server, "GET /auth", 405);
    await assertClean(server, "HEAD /auth", 405);
    await assertClean(server, `PUT ${JWKS}`, 405);
  },
});
