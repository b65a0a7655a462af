import assert from "node:assert/strict";
import { Directory, eventually, Server } from "./harness.ts";
import { keyStates } from "./keys.ts";

Deno.test("in an empty directory, with nothing but a port set, the server serves its keys", async () => {
  await using server = await Server.start({ isFullCost: true });
  const answer = await server.jwks();
  assert.equal(answer.status, 200);
  assert.ok(answer.json.keys.length >= 1);
});

Deno.test("PORT=0 takes a free port and says which", async () => {
  await using one = await Server.start({ env: { PORT: "0" } });
  await using other = await Server.start({ env: { PORT: "0" } });
  assert.notEqual(one.port, other.port);
  for (const server of [one, other]) {
    assert.ok(server.port > 0);
    assert.equal((await server.jwks()).status, 200);
  }
});

Deno.test("two processes that start at once on one empty directory share its keys", async () => {
  await using directory = new Directory();
  await using processes = new AsyncDisposableStack();
  const [one, other] = await Promise.all([
    Server.start({ directory }).then((server) => processes.use(server)),
    Server.start({ directory }).then((server) => processes.use(server)),
  ]);
  await eventually("both serve the same two keys", async () => {
    const [left, right] = await Promise.all([one.jwks(), other.jwks()]);
    return left.json.keys.length === 2 && left.text === right.text ? true : undefined;
  });
  await eventually("three keys", () => keyStates(directory).length === 3 ? true : undefined);
  await new Promise((resolve) => setTimeout(resolve, 1500)); // both look at the schedule again
  assert.deepEqual(keyStates(directory), ["active", "born expired", "next"]);
  assert.equal((await one.jwks()).text, (await other.jwks()).text);

  const user = await one.register();
  const kids = await Promise.all([one, other].map(async (server) => {
    return JSON.parse(atob((await server.token(user)).split(".")[0]!)).kid;
  }));
  assert.equal(kids[0], kids[1]);
  assert.equal((await other.post("/register", user)).status, 409);
  const names = Object.keys(await directory.digests());
  assert.deepEqual(names.filter((name) => !/-(wal|shm)$/.test(name)), [
    "totally_not_my_privateKeys.db",
    "totally_not_my_privateKeys.db.key",
  ]);
});

Deno.test("a port in use is told in clear words, with exit code 1", async () => {
  await using server = await Server.start();
  await using directory = new Directory();
  const outcome = await directory.run([], { env: { PORT: String(server.port) } });
  assert.equal(outcome.code, 1);
  assert.equal(outcome.stdout, "");
  assert.match(
    outcome.stderr,
    new RegExp(`^jwks-server: error: cannot listen on 127\\.0\\.0\\.1:${server.port}`, "m"),
  );
  assert.match(outcome.stderr, /^jwks-server: hint: .*PORT/m);
  assert.ok(!/\bat \S+\.ts:\d/.test(outcome.stderr));
});
