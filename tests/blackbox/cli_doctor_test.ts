import assert from "node:assert/strict";
import { preparedDirectory, startSettled, WITH_SECRET } from "./commands.ts";
import { type Directory, freePort, Server } from "./harness.ts";
import { keyRows } from "./keys.ts";
import type { Environment } from "./process.ts";

interface Finding {
  check: string;
  status: "ok" | "warning" | "problem";
  message: string;
  hint?: string;
}

const CHECKS = [
  "database",
  "database file",
  "disk",
  "secret file",
  "test tokens",
  "secret",
  "policy",
  "published set",
  "schedule",
  "clock",
  "proxies",
  "issuer",
];

const prepared = await preparedDirectory({}); // its secret was made by the server
Deno.test.afterAll(() => prepared[Symbol.asyncDispose]());

/** What the servers of these tests have set. */
const POLICY = { SIGNING_ALG: "ES256" };

/** What `doctor` finds besides what is well; nobody listens on the port unless `env` says so. */
async function findings(directory: Directory, env: Environment = {}): Promise<Finding[]> {
  const options = { env: { ...POLICY, PORT: String(freePort()), ...env } };
  const { code, stdout, stderr } = await directory.run(["doctor", "--json"], options);
  const all: Finding[] = JSON.parse(stdout);
  const problems = all.filter(({ status }) => status === "problem").length;
  assert.equal(code, problems > 0 ? 1 : 0, stdout);
  const summary = problems === 1 ? "a problem" : `${problems} problems`;
  assert.equal(stderr, problems === 0 ? "" : `jwks-server: error: ${summary} found\n`);
  for (const { status, hint } of all) assert.equal(hint === undefined, status === "ok");
  return all.filter(({ status }) => status !== "ok");
}

/** Asserts that one check, and only that one, finds a problem; without a server the issuer warns. */
function assertProblem(found: Finding[], check: string, message: RegExp, hint: RegExp): void {
  const problems = found.filter(({ status }) => status === "problem");
  assert.deepEqual(problems.map((finding) => finding.check), [check]);
  assert.match(problems[0]!.message, message);
  assert.match(problems[0]!.hint!, hint);
  for (const { check, status } of found) if (status === "warning") assert.equal(check, "issuer");
}

Deno.test("with a server at work every check is ok, in words and in JSON", async () => {
  await using server = await startSettled();
  const env = { ...WITH_SECRET, PORT: String(server.port) };
  assert.deepEqual(await findings(server.directory, env), []);
  const { code, stdout, stderr } = await server.directory.run(["doctor"], {
    env: { ...POLICY, ...env },
  });
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  const lines = stdout.trimEnd().split("\n");
  assert.deepEqual(lines.map((line) => /^ok {7}([a-z ]+): \S/.exec(line)?.[1]), CHECKS);
});

Deno.test("without a server the issuer is a warning, which is no failure", async () => {
  const [issuer, ...rest] = await findings(prepared);
  assert.deepEqual(rest, []);
  assert.deepEqual([issuer!.check, issuer!.status], ["issuer", "warning"]);
  assert.match(issuer!.hint!, /start the server|ISSUER/);
});

Deno.test("a problem is a line with what to do under it, and exit code 1", async () => {
  await using directory = await prepared.copy();
  await Deno.chmod(directory.database, 0o644);
  const { code, stdout } = await directory.run(["doctor"], { env: { PORT: "1" } });
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^problem {2}database file: totally_not_my_privateKeys\.db has mode 644.*\n {9}chmod 600 totally/m,
  );
});

for (const [check, suffix] of [["database file", ""], ["secret file", ".key"]] as const) {
  Deno.test(`a ${check} that others may read is a problem`, async () => {
    await using directory = await prepared.copy();
    await Deno.chmod(directory.database + suffix, 0o644);
    assertProblem(await findings(directory), check, /mode 644: others may read it/, /chmod 600/);
  });
}

Deno.test("a key that was altered is a problem that names the key", async () => {
  await using directory = await prepared.copy();
  const { kid } = keyRows(directory)[1]!; // the next key: one still signs
  const database = directory.open();
  database.prepare("UPDATE keys SET exp = exp + 86400 WHERE kid = ?").run(kid);
  database.close();
  const found = await findings(directory);
  const others = found.filter(({ check }) => check !== "schedule"); // another next one is due
  assertProblem(others, "key", new RegExp(`row ${kid} .* is refused`), /restore a backup/);
});

Deno.test("the secret of another database is a problem", async () => {
  await using directory = await prepared.copy();
  await Deno.writeTextFile(`${directory.database}.key`, "another secret for tests\n");
  assertProblem(await findings(directory), "secret", /secret is not the one/, /set NOT_MY_KEY/);
});

Deno.test("a secret that is gone is a problem", async () => {
  await using directory = await prepared.copy();
  await Deno.remove(`${directory.database}.key`);
  const found = await findings(directory);
  assert.deepEqual(found.map(({ check }) => check), ["secret file", "secret"]);
  assert.ok(found.every(({ status }) => status === "problem"));
});

Deno.test("a database that is no database is a problem", async () => {
  await using directory = await prepared.copy();
  await Deno.writeTextFile(directory.database, "x".repeat(8192));
  const found = await findings(directory);
  assert.deepEqual([found[0]!.check, found[0]!.status], ["database", "problem"]);
});

Deno.test("a database that is not there is a problem, wherever it should be, and is not made", async () => {
  for (const DATABASE of ["absent.db", "absent/absent.db"]) {
    await using directory = await prepared.copy();
    const found = await findings(directory, { DATABASE });
    assert.deepEqual([found[0]!.check, found[0]!.status], ["database", "problem"]);
    assert.ok(!Object.keys(await directory.digests()).some((name) => name.startsWith("absent")));
  }
});

Deno.test("believing every client's X-Forwarded-For is a problem", async () => {
  for (const TRUSTED_PROXIES of ["0.0.0.0/0", "10.0.0.1, ::/0"]) {
    const found = await findings(prepared, { TRUSTED_PROXIES });
    assertProblem(found, "proxies", /believes every client/, /your own proxies/);
  }
});

Deno.test("a log entry from the future is a problem of the clock", async () => {
  await using directory = await prepared.copy();
  const database = directory.open();
  database.exec(
    "INSERT INTO users (username, password_hash) VALUES ('a', '!'); " +
      "INSERT INTO auth_logs (request_ip, request_timestamp, user_id) " +
      "VALUES ('127.0.0.1', datetime('now', '+1 hour'), 1)",
  );
  database.close();
  const found = await findings(directory);
  assertProblem(found, "clock", /^3(59\d|600) s behind the newest log entry/, /set the clock/);
});

Deno.test("a refused login from the future is a problem of the clock, too", async () => {
  await using directory = await prepared.copy();
  const database = directory.open();
  database.exec(
    "INSERT INTO auth_logs (request_ip, request_timestamp) " +
      "VALUES ('127.0.0.1', datetime('now', '+1 hour'))",
  );
  database.close();
  assertProblem(await findings(directory), "clock", /behind the newest log entry/, /set the clock/);
});

Deno.test("an issuer that publishes other keys is a problem", async () => {
  await using other = await Server.start();
  const found = await findings(prepared, { ISSUER: other.url });
  assertProblem(found, "issuer", /publishes other keys/, /ISSUER/);
});

Deno.test("doctor changes no key and no setting of what it examines", async () => {
  await using directory = await prepared.copy();
  const rows = keyRows(directory);
  await findings(directory);
  assert.deepEqual(keyRows(directory), rows);
});
