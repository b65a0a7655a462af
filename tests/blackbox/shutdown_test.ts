import assert from "node:assert/strict";
import { connect, parseResponse, receive, send } from "./client.ts";
import { eventually, Server } from "./harness.ts";

/** Less than the time that requests in flight are given, in milliseconds. */
const AT_ONCE = 4000;

async function took(work: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work;
  return performance.now() - start;
}

/** The head of a login and the first half of its body, and the other half. */
function halves(credentials: { username: string; password: string }): [string, string] {
  const body = JSON.stringify(credentials);
  const head = "POST /auth HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
    `Content-Length: ${body.length}\r\n\r\n`;
  return [head + body.slice(0, 20), body.slice(20)];
}

function isStopping(server: Server): Promise<true> {
  return eventually("it stops", () => /"stopping"/.test(server.stderr) ? true : undefined);
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} ends the server with exit code 0 and a clean database`, async () => {
    await using server = await Server.start();
    await server.register();
    const outcome = await server.stop(signal);
    assert.equal(outcome.code, 0);
    assert.ok(!/"level":"error"/.test(outcome.stderr), outcome.stderr);
    const files = Object.keys(await server.directory.digests());
    assert.ok(!files.some((name) => /-(wal|shm)$/.test(name)), files.join());
  });
}

Deno.test("SIGTERM ends it with exit code 0 as soon as it has said that it listens", async () => {
  for (let i = 0; i < 3; i++) {
    await using server = await Server.start();
    assert.equal((await server.stop()).code, 0);
  }
});

Deno.test("a login whose password is being checked is answered before the end", async () => {
  const slow = { ARGON2_MEMORY_KIB: "65536", ARGON2_PASSES: "30" };
  await using server = await Server.start({ env: slow });
  const user = await server.register();
  const login = server.login(user);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const stopped = server.stop();
  const { status, json } = await login;
  assert.equal(status, 200);
  assert.equal(json.token.split(".").length, 3);
  assert.equal((await stopped).code, 0);
  assert.equal(server.query("SELECT * FROM auth_logs WHERE user_id = 1").length, 1);
});

Deno.test("a login whose body is still arriving is answered before the end", async () => {
  await using server = await Server.start();
  const [first, second] = halves(await server.register());
  using connection = await connect(server.url);
  await send(connection, first);
  await new Promise((resolve) => setTimeout(resolve, 200)); // the server reads it
  const stopped = server.stop();
  await isStopping(server);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await send(connection, second);
  const { status, body } = parseResponse(await receive(connection));
  assert.equal(status, 200, body);
  assert.equal(JSON.parse(body).token.split(".").length, 3);
  assert.equal((await stopped).code, 0);
});

Deno.test("an idle keep-alive connection does not hold up the end", async () => {
  await using server = await Server.start();
  using connection = await connect(server.url);
  await send(connection, "GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
  assert.equal(parseResponse(await receive(connection)).status, 200);
  await new Promise((resolve) => setTimeout(resolve, 200)); // the server is done with it
  assert.ok(await took(server.stop()) < AT_ONCE);
  assert.equal((await server.ended).code, 0);
});

Deno.test("a second signal ends the server at once", async () => {
  await using server = await Server.start();
  using connection = await connect(server.url);
  await send(connection, halves({ username: "a", password: "a" })[0]);
  await new Promise((resolve) => setTimeout(resolve, 200)); // the server reads it
  server.signal("SIGTERM");
  await isStopping(server);
  assert.ok(await took(server.stop("SIGINT")) < AT_ONCE);
});

Deno.test("new requests are served while the server stops, and refused when what is in flight takes long", async () => {
  await using server = await Server.start();
  using connection = await connect(server.url);
  await send(connection, halves({ username: "a", password: "a" })[0]);
  await new Promise((resolve) => setTimeout(resolve, 200)); // the server reads it
  server.signal("SIGTERM");
  await isStopping(server);
  using client = server.from("127.0.0.1"); // whose connections are new
  assert.equal((await client.jwks()).status, 200);
  const refused = await eventually("a request is refused", async () => {
    const answer = await client.jwks();
    return answer.status === 200 ? undefined : answer;
  });
  assert.deepEqual([refused.status, refused.json.error], [503, "overloaded"]);
  await server.stop();
});
