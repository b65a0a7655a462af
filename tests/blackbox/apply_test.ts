import assert from "node:assert/strict";
import { assertRefusal, done, preparedDirectory, WITH_SECRET } from "./commands.ts";
import { Directory, Server } from "./harness.ts";

/** The form of a hash: nobody logs in by it. */
const HASH =
  "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE";
const PASSWORD = "a password of these tests";

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
