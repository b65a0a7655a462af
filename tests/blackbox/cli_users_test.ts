import assert from "node:assert/strict";
import { assertRefusal, done, refused } from "./commands.ts";
import { Server } from "./harness.ts";

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;

let server: Server;
Deno.test.beforeAll(async () => {
  server = await Server.start();
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

const noSecret = { env: {} }; // users need no key

function users(...args: string[]): Promise<string> {
  return done(server.directory, ["users", ...args], noSecret);
}

function row(username: string) {
  const sql = "SELECT * FROM users WHERE username = ?";
  return server.query<{ password_hash: string; email: string }>(sql, username)[0]!;
}

/** Everything of an answer that a client can compare. */
async function refusal(login: ReturnType<Server["login"]>) {
  const { status, text, headers } = await login;
  return { status, text, authenticate: headers.get("www-authenticate") };
}

Deno.test("users add registers a user and prints, once, the password that authenticates it", async () => {
  const output = await users("add", "reporting", "--email", "ops@example.com");
  const password = UUID.exec(output)![0];
  assert.equal((await server.login({ username: "reporting", password })).status, 200);
  assert.equal(row("reporting").email, "ops@example.com");
  assert.match(row("reporting").password_hash, /^\$argon2id\$/);
  assert.ok(!(await users("list")).includes(password));
});

Deno.test("users add --password-stdin takes the password as it is and does not print it", async () => {
  const password = " correct horse: bätterÿ ";
  const args = ["users", "add", "chosen", "--email", "chosen@example.com", "--password-stdin"];
  const output = await done(server.directory, args, { env: {}, stdin: `${password}\n` });
  assert.equal(output, "User chosen is registered\n");
  assert.equal((await server.login({ username: "chosen", password })).status, 200);
  const trimmed = { username: "chosen", password: password.trim() };
  assert.equal((await server.login(trimmed)).status, 401);
});

Deno.test("users add refuses what /register refuses, and a short password", async () => {
  await server.register("taken", "taken@example.com");
  const before = server.query("SELECT * FROM users");
  const add = (name: string, email: string, code: number, reason: RegExp, stdin?: string) => {
    const args = ["users", "add", name, "--email", email];
    if (stdin !== undefined) args.push("--password-stdin");
    return refused(server.directory, args, code, reason, { env: {}, stdin: stdin ?? "" });
  };
  await add("Taken", "other@example.com", 1, /is taken/);
  await add("other", "TAKEN@example.com", 1, /is taken/);
  await add("a:b", "other@example.com", 2, /username/);
  await add("x".repeat(65), "other@example.com", 2, /username/);
  await add("other", "no address", 2, /e-?mail/i);
  const stderr = await add(
    "other",
    "other@example.com",
    2,
    /has 11 bytes; allowed are 16 to 1024/,
    "eleven11111\n",
  );
  assert.ok(!stderr.includes("eleven"));
  await add("other", "other@example.com", 2, /has 0 bytes; allowed are 16 to 1024/, "");
  await add("other", "other@example.com", 2, /has 9000 bytes; allowed/, "x".repeat(9000));
  await add("other", "other@example.com", 1, /more than 65536 bytes/, "x".repeat(1_000_000));
  assert.deepEqual(server.query("SELECT * FROM users"), before);
});

Deno.test("users list shows every user's state and last login, in JSON and in a table", async () => {
  const user = await server.register();
  await server.token(user);
  await server.register("never-here", "never-here@example.com");
  await users("disable", "never-here");
  const listed = JSON.parse(await users("list", "--json"));
  assert.equal(listed.length, server.query("SELECT * FROM users").length);
  const find = (name: string) =>
    listed.find(({ username }: { username: string }) => username === name);
  assert.deepEqual([find(user.username).email, find(user.username).state], [user.email, "enabled"]);
  assert.match(find(user.username).last_login, /^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d$/);
  assert.deepEqual([find("never-here").state, find("never-here").last_login], ["disabled", null]);
  const table = await users("list");
  assert.match(table, /^ID +USERNAME +E-MAIL +STATE +REGISTERED +LAST LOGIN$/m);
  assert.match(table, /never-here +never-here@example\.com +disabled +20\S+ \S+ +never$/m);
  assert.ok(!/argon2/.test(table + JSON.stringify(listed)));
});

Deno.test("a disabled user is refused from that moment, in the words for a wrong password", async () => {
  const user = await server.register();
  await server.token(user);
  const wrong = await refusal(server.login({ ...user, password: "wrong" }));
  await users("disable", user.username);
  assert.deepEqual(await refusal(server.login(user)), wrong);
  assert.equal(wrong.status, 401);
  const [last] = server.query<{ user_id: number | null }>(
    "SELECT user_id FROM auth_logs ORDER BY id DESC LIMIT 1",
  );
  assert.equal(last!.user_id, null);
});

Deno.test("a disabled user keeps its name and its address, whatever their case", async () => {
  const user = await server.register("Keeper", "keeper@example.com");
  await users("disable", user.username);
  for (
    const taken of [
      { username: "Keeper", email: "else@example.com" },
      { username: "kEEPER", email: "else@example.com" },
      { username: "else", email: "KEEPER@example.com" },
    ]
  ) {
    assert.equal((await server.post("/register", taken)).status, 409);
  }
});

Deno.test("an enabled user logs in with the password it had", async () => {
  const user = await server.register();
  await users("disable", user.username);
  await users("disable", user.username); // twice is the same as once
  await users("enable", user.username.toUpperCase());
  await server.token(user);
});

Deno.test("a new password replaces the old one at once, and a disabled user stays disabled", async () => {
  const user = await server.register("forgetful");
  const password = UUID.exec(await users("reset-password", user.username))![0];
  assert.equal((await server.login(user)).status, 401);
  await server.token({ ...user, password });
  await users("disable", user.username);
  const args = ["users", "reset-password", user.username, "--password-stdin"];
  const stdin = "correct horse battery\n";
  const output = await done(server.directory, args, { env: {}, stdin });
  assert.ok(!output.includes("horse"));
  assert.equal((await server.login({ ...user, password: "correct horse battery" })).status, 401);
  await users("enable", user.username);
  await server.token({ ...user, password: "correct horse battery" });
});

Deno.test("a user that is not there is told, with exit code 1 and where to look", async () => {
  for (const command of ["disable", "enable", "reset-password"]) {
    const outcome = await server.directory.run(["users", command, "nobody"]);
    assertRefusal(outcome, 1, /there is no user of this name/);
    assert.match(outcome.stderr, /hint: .*users list/);
  }
});

Deno.test("without users the table says so, and JSON is an empty list", async () => {
  await using fresh = await Server.start();
  assert.equal(
    await done(fresh.directory, ["users", "list"], noSecret),
    "There are no users yet\n",
  );
  assert.equal(await done(fresh.directory, ["users", "list", "--json"], noSecret), "[]\n");
});
