import assert from "node:assert/strict";
import { assertRefusal, done } from "./commands.ts";
import { Directory, freePort, Server } from "./harness.ts";

function check(directory: Directory, env: Record<string, string>): Promise<string> {
  return done(directory, ["healthcheck"], { env });
}

Deno.test("healthcheck ends with 0 when the server on HOST and PORT is ready", async () => {
  await using server = await Server.start();
  await using elsewhere = new Directory(); // it needs neither the database nor the secret
  assert.equal(await check(elsewhere, { PORT: String(server.port) }), "");
  assert.deepEqual([...(await elsewhere.files()).keys()], []);
});

Deno.test("healthcheck understands the addresses that a server listens on", async () => {
  for (const HOST of ["0.0.0.0", "localhost", "127.0.0.2"]) {
    await using server = await Server.start({ env: { HOST } });
    await check(server.directory, { HOST, PORT: String(server.port) });
  }
});

Deno.test("healthcheck ends with 1 when nobody answers, and says where it asked", async () => {
  await using directory = new Directory();
  const port = freePort();
  const outcome = await directory.run(["healthcheck"], { env: { PORT: String(port) } });
  assertRefusal(outcome, 1, new RegExp(`does not answer at http://127\\.0\\.0\\.1:${port}/`));
  assert.match(outcome.stderr, /hint: .*HOST, PORT and TLS_CERT_FILE/);
});

Deno.test("healthcheck ends with 1 when the server is not ready", async () => {
  await using other = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    return new Response("not ready", { status: 503 });
  });
  await using directory = new Directory();
  const env = { PORT: String(other.addr.port) };
  assertRefusal(await directory.run(["healthcheck"], { env }), 1, /not ready: HTTP 503/);
});

Deno.test("healthcheck asks the server itself, whatever proxy is set for the outer world", async () => {
  await using server = await Server.start();
  const proxy = `http://127.0.0.1:${freePort()}`; // where nobody listens
  const env = { PORT: String(server.port), HTTP_PROXY: proxy, http_proxy: proxy };
  await check(server.directory, env);
});
