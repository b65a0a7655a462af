import assert from "node:assert/strict";
import { done } from "./commands.ts";
import type { Credentials } from "./client.ts";
import { eventually, Server } from "./harness.ts";
import { Program } from "./process.ts";

interface Entry {
  id: number;
  timestamp: string;
  ip: string;
  username: string | null;
}

let server: Server;
let user: Credentials;
Deno.test.beforeAll(async () => {
  server = await Server.start();
  user = await server.register("reporting");
  const other = await server.register("other");
  using client = server.from("127.0.0.9");
  await server.token(user);
  await client.login({ ...user, password: "wrong" });
  await client.token(other);
  await client.login({ username: "nobody", password: "wrong" });
  await server.token(user);
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

const noSecret = { env: {} }; // the log is not encrypted

function parse(text: string): Entry[] {
  return text.trimEnd().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

async function logs(...args: string[]): Promise<Entry[]> {
  return parse(await done(server.directory, ["logs", "--json", ...args], noSecret));
}

Deno.test("logs --json prints every authentication, an object a line, newest last", async () => {
  const entries = await logs();
  assert.deepEqual(entries.map(({ ip, username }) => [ip, username]), [
    ["127.0.0.1", "reporting"],
    ["127.0.0.9", null],
    ["127.0.0.9", "other"],
    ["127.0.0.9", null],
    ["127.0.0.1", "reporting"],
  ]);
  assert.deepEqual(entries.map(({ id }) => id), [1, 2, 3, 4, 5]);
  for (const { timestamp } of entries) {
    assert.ok(Math.abs(Date.parse(`${timestamp.replace(" ", "T")}Z`) - Date.now()) < 60_000);
  }
});

Deno.test("logs prints the same as lines of a table", async () => {
  const [heading, ...lines] = (await done(server.directory, ["logs"], noSecret)).trimEnd()
    .split("\n");
  assert.match(heading!, /^TIME \(UTC\) +CLIENT +USER$/);
  assert.equal(lines.length, 5);
  assert.match(lines[0]!, /^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d +127\.0\.0\.1 +reporting$/);
  assert.match(lines[1]!, / +127\.0\.0\.9 +\(refused\)$/);
});

Deno.test("--user leaves a user's own entries, whatever the case of the name", async () => {
  const entries = await logs("--user", "REPORTING");
  assert.deepEqual(entries.map(({ id }) => id), [1, 5]);
  assert.deepEqual(await logs("--user", "nobody"), []);
});

Deno.test("--since leaves what is not older than that", async () => {
  await using fresh = await Server.start();
  const database = fresh.openDatabase();
  const insert = database.prepare(
    "INSERT INTO auth_logs (request_ip, request_timestamp) VALUES (?, datetime('now', ?))",
  );
  for (const age of ["-50 hours", "-25 hours", "-23 hours", "-1 minute"]) insert.run("::1", age);
  database.close();
  const since = async (duration: string) => {
    const args = ["logs", "--json", "--since", duration];
    return parse(await done(fresh.directory, args, noSecret)).map(({ id }) => id);
  };
  assert.deepEqual(await since("1d"), [3, 4]);
  assert.deepEqual(await since("30s"), []);
  assert.deepEqual(await since("1y"), [1, 2, 3, 4]);
});

Deno.test("a log of many pages is printed whole and in order", async () => {
  await using fresh = await Server.start();
  const database = fresh.openDatabase();
  database.exec(
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) " +
      "INSERT INTO auth_logs (request_ip) SELECT '10.0.0.' || (i % 200) FROM n",
  );
  database.close();
  const ids = parse(await done(fresh.directory, ["logs", "--json", "--all"], noSecret)).map((
    { id },
  ) => id);
  assert.deepEqual(ids, Array.from({ length: 2500 }, (_, i) => i + 1));
});

Deno.test("--follow goes on with what comes, each entry once, until a signal ends it", async () => {
  await using fresh = await Server.start();
  const somebody = await fresh.register();
  await fresh.token(somebody);
  const output = `${fresh.directory.path}/followed`;
  const program = new Program(["logs", "--follow", "--json"], {
    cwd: fresh.directory.path,
    env: {},
    prelude: `exec >${output}`,
  });
  const entries = async () => parse(await Deno.readTextFile(output).catch(() => ""));
  const count = (expected: number) =>
    eventually(`${expected} entries`, async () => {
      return (await entries()).length >= expected ? true : undefined;
    }, { patience: 3000 });
  await count(1);
  await fresh.token(somebody);
  await fresh.login({ ...somebody, password: "wrong" });
  await count(3);
  await fresh.token(somebody);
  await count(4);
  program.signal("SIGINT");
  assert.notEqual((await program.ended).code, 0);
  assert.deepEqual((await entries()).map(({ id }) => id), [1, 2, 3, 4]);
});
