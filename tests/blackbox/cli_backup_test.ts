import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Credentials } from "./client.ts";
import {
  done,
  kidOf,
  listKeys,
  preparedDirectory,
  publishedKids,
  refused,
  startSettled,
  WITH_SECRET,
} from "./commands.ts";
import { Directory, Server, UNLIMITED } from "./harness.ts";

const prepared = await preparedDirectory();
Deno.test.afterAll(() => prepared[Symbol.asyncDispose]());

const noSecret = { env: {} }; // a copy needs no key

/** Puts a backup in the place of a database, as one does who restores it. */
async function restored(backup: string): Promise<Directory> {
  const directory = new Directory();
  await Deno.copyFile(backup, directory.database);
  return directory;
}

/** Registers and logs in without a pause until it is told to stop. */
class Load {
  readonly registered: Credentials[] = [];
  #isOver = false;
  readonly #running: Promise<void>[];

  constructor(server: Server, workers: number) {
    this.#running = Array.from({ length: workers }, () => this.#work(server));
  }

  async #work(server: Server): Promise<void> {
    while (!this.#isOver) {
      const user = await server.register();
      this.registered.push(user);
      await server.token(user);
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }
}

Deno.test("a backup under write load is whole, and has everything answered before it began", async () => {
  await using server = await startSettled({ env: UNLIMITED });
  const { directory } = server;
  const load = new Load(server, 4);
  const copies: { file: string; users: Credentials[] }[] = [];
  try {
    for (const name of ["one", "two", "three"]) {
      await new Promise((resolve) => setTimeout(resolve, 300)); // work goes on
      const file = `${directory.path}/${name}.db`;
      const users = [...load.registered];
      await done(directory, ["backup", file], noSecret);
      copies.push({ file, users });
    }
  } finally {
    await load.stop();
  }
  assert.ok(load.registered.length > copies[2]!.users.length, "there was no load");
  for (const { file, users } of copies) {
    assert.ok(users.length > 0);
    const copy = new DatabaseSync(file, { readOnly: true });
    const [check] = copy.prepare("PRAGMA integrity_check").all();
    assert.deepEqual({ ...check }, { integrity_check: "ok" });
    assert.deepEqual(copy.prepare("PRAGMA foreign_key_check").all(), []);
    const names = new Set(
      copy.prepare("SELECT username FROM users").all().map((row) => row.username),
    );
    for (const { username } of users) assert.ok(names.has(username), username);
    copy.close();
  }
  const { file, users } = copies[2]!;
  const kids = await publishedKids(server);
  await using second = await restored(file);
  await using revived = await Server.start({ directory: second, env: WITH_SECRET });
  assert.deepEqual(await publishedKids(revived), kids);
  assert.ok(kids.includes(kidOf(await revived.token(users[0]!))));
  await revived.token(users.at(-1)!);
});

Deno.test("a backup is one file, for its user's eyes only, and says what it is", async () => {
  await using directory = await prepared.copy();
  const file = `${directory.path}/copy.db`;
  const output = await done(directory, ["backup", "copy.db"], noSecret);
  const { size, mode } = await Deno.stat(file);
  assert.ok(output.startsWith(`copy.db is a backup of ${size} bytes`), output);
  assert.equal(mode! & 0o777, 0o600);
  const names = [...(await directory.files()).keys()].filter((name) => !/-(wal|shm)$/.test(name));
  assert.deepEqual(names, ["copy.db", "totally_not_my_privateKeys.db"]); // no draft is left
  await using second = await restored(file);
  assert.deepEqual(await listKeys(second), await listKeys(directory));
});

Deno.test("a restored backup opens with the same secret and with no other", async () => {
  await using directory = await prepared.copy();
  await done(directory, ["backup", "copy.db"], noSecret);
  await using second = await restored(`${directory.path}/copy.db`);
  const env = { NOT_MY_KEY: "another secret for tests" };
  await refused(second, ["keys", "list"], 78, /the secret is not the one/, { env });
});

Deno.test("backup replaces no file, be it the database itself", async () => {
  await using directory = await prepared.copy();
  await Deno.writeTextFile(`${directory.path}/precious`, "precious");
  for (const file of ["precious", "totally_not_my_privateKeys.db"]) {
    const stderr = await refused(directory, ["backup", file], 1, /exists already$/, noSecret);
    assert.match(stderr, /hint: name another file/);
  }
  assert.equal(await Deno.readTextFile(`${directory.path}/precious`), "precious");
  assert.equal((await listKeys(directory)).length, 3);
});

Deno.test("a backup that cannot be written is told, with exit code 1, and leaves nothing", async () => {
  await using directory = await prepared.copy();
  await refused(directory, ["backup", "absent/copy.db"], 1, /cannot be written/, noSecret);
  const names = [...(await directory.files()).keys()].filter((name) => !/-(wal|shm)$/.test(name));
  assert.deepEqual(names, ["totally_not_my_privateKeys.db"]);
});
