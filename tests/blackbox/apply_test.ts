import assert from "node:assert/strict";
import { assertRefusal, done, preparedDirectory, WITH_SECRET } from "./commands.ts";
import { Directory, Server } from "./harness.ts";
import { Program } from "./process.ts";

/** How often the command is killed at a random moment. */
const KILLS = 20;

/** Clients enough that writing them takes a while. */
const CLIENTS = 200;

/** The form of a hash: nobody logs in by it. */
const HASH =
  "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE";
const PASSWORD = "a password of these tests";
const KEY = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };

/** A file that declares clients with these numbers, each with a policy and a key. */
async function declare(directory: Directory, note: string, first: number): Promise<string> {
  const clients = Array.from({ length: CLIENTS }, (_, index) => ({
    username: `client-${first + index}`,
    password_hash: HASH,
    keys: [{ ...KEY, kid: note }],
    policy: { note },
  }));
  const file = `${directory.path}/${note}.json`;
  await Deno.writeTextFile(file, JSON.stringify({ clients }));
  return file;
}

/** What the tables hold of clients, without the times and numbers of rows. */
function stateOf(directory: Directory): unknown {
  return [
    directory.query("SELECT username, password_hash, email FROM users ORDER BY username"),
    directory.query("SELECT policy, count(*) FROM client_policies GROUP BY policy"),
    directory.query("SELECT kid, value, count(*) FROM client_credentials GROUP BY kid, value"),
    directory.query("SELECT count(*) FROM tombstones"),
  ].map((rows) => rows.map((row) => ({ ...row as object })));
}

Deno.test(`apply killed ${KILLS} times at any moment leaves all of its changes or none`, async () => {
  await using directory = await preparedDirectory();
  const half = CLIENTS / 2; // as many are deleted, changed and created
  await done(directory, ["apply", await declare(directory, "before", 0)]);
  const args = ["apply", await declare(directory, "after", half), "--prune"];
  const before = stateOf(directory);
  await using whole = await directory.copy();
  const begin = performance.now();
  await done(whole, args);
  const usual = performance.now() - begin;
  const after = stateOf(whole);
  assert.notDeepEqual(after, before);
  for (let i = 0; i < KILLS; i++) {
    await using copy = await directory.copy();
    const program = new Program(args, { cwd: copy.path, env: WITH_SECRET });
    const moment = usual * (0.3 + 0.8 * Math.random()); // before that it has not begun
    await new Promise((resolve) => setTimeout(resolve, moment));
    program.signal("SIGKILL");
    await program.ended;
    const found = JSON.stringify(stateOf(copy));
    const isWhole = [before, after].some((state) => JSON.stringify(state) === found);
    assert.ok(isWhole, `killed after ${Math.round(moment)} of ${Math.round(usual)} ms`);
  }
});

Deno.test("a server with CLIENTS_FILE serves the clients that it declares, and deletes no other", async () => {
  await using directory = new Directory();
  await Deno.writeTextFile(`${directory.path}/password`, `${PASSWORD}\n`);
  const policy = { scopes: ["read"] };
  const clients = [{ username: "reporting", password_file: "password", policy }];
  await Deno.writeTextFile(`${directory.path}/clients.json`, JSON.stringify({ clients }));
  const env = { ...WITH_SECRET, CLIENTS_FILE: "clients.json" };
  const said: boolean[] = [];
  for (let start = 0; start < 2; start++) {
    await using server = await Server.start({ directory, env });
    const user = { username: "reporting", password: PASSWORD };
    assert.equal((await server.post("/auth", user)).status, 200);
    if (start === 0) await server.register();
    else assert.equal(directory.query("SELECT 1 FROM users").length, 2);
    said.push(server.stderr.includes("+ client reporting"));
    assert.ok(!server.stderr.includes(PASSWORD));
  }
  assert.deepEqual(said, [true, false]);
  const stored = directory.query<{ policy: string }>("SELECT policy FROM client_policies");
  assert.deepEqual(stored.map(({ policy }) => JSON.parse(policy).scopes), [["read"]]);
});

Deno.test("a server whose CLIENTS_FILE has problems does not start, says each, and stores nothing", async () => {
  await using directory = new Directory();
  const clients = [{ username: "right", password_hash: HASH }, { username: "wrong", odd: 1 }];
  await Deno.writeTextFile(`${directory.path}/clients.json`, JSON.stringify({ clients }));
  const env = { ...WITH_SECRET, PORT: "0", CLIENTS_FILE: "clients.json" };
  const outcome = await directory.run([], { env });
  assertRefusal(outcome, 78, /clients file clients\.json has 2 problems/);
  for (const path of ["$.clients[1].odd: ", "$.clients[1]: "]) {
    assert.ok(outcome.stderr.includes(`hint: ${path}`), outcome.stderr);
  }
  assert.deepEqual([...(await directory.files()).keys()], ["clients.json"]);
  const missing = await directory.run([], { env: { ...env, CLIENTS_FILE: "none.json" } });
  assertRefusal(missing, 78, /clients file none\.json cannot be read/);
});

Deno.test("a server whose CLIENTS_FILE names a deleted client does not start", async () => {
  await using directory = await preparedDirectory();
  const clients = [{ username: "reporting", password_hash: HASH }];
  await Deno.writeTextFile(`${directory.path}/clients.json`, JSON.stringify({ clients }));
  await done(directory, ["apply", "clients.json"]);
  await done(directory, ["users", "delete", "reporting"]);
  const env = { ...WITH_SECRET, PORT: "0", CLIENTS_FILE: "clients.json" };
  const outcome = await directory.run([], { env });
  assertRefusal(outcome, 78, /has a problem/);
  assert.ok(outcome.stderr.includes("$.clients[0].username: "), outcome.stderr);
});
