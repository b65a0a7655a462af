/** What a server cannot start with: refused in words that say what to do, and left as it was. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { isDomainError } from "../../lib/base/errors.ts";
import { createLog } from "../../lib/base/log.ts";
import { KeyRing } from "../../lib/keys/key_ring.ts";
import { readLastingClientsFile } from "../../lib/server/clients_file.ts";
import { type Config, loadConfig } from "../../lib/server/config.ts";
import { openDatabase } from "../../lib/server/open.ts";
import { makeFifo } from "../base/fifo.ts";
import { Directory } from "../blackbox/harness.ts";
import { failureOf, SECRET } from "../support.ts";
import { fill } from "./restarted.ts";

/** The longest that a refusal may take: who opens a FIFO waits for ever. In milliseconds. */
const PATIENCE = 3000;

/** What stands in the place of a file, made at a path beside which nothing else is. */
const STANDINS: Record<string, (path: string) => Promise<unknown>> = {
  "a directory": (path) => Deno.mkdir(path),
  "a FIFO": makeFifo,
  "a link to a directory": (path) => Deno.symlink("/tmp", path),
  "a link to a device": (path) => Deno.symlink("/dev/null", path),
  "a link to an endless device": (path) => Deno.symlink("/dev/zero", path),
  "a link to nowhere": (path) => Deno.symlink("nowhere/at/all", path),
  "a link to itself": (path) => Deno.symlink(path, path),
  "a file of random bytes": (path) =>
    Deno.writeFile(path, crypto.getRandomValues(new Uint8Array(8192))),
};

/** Files that a start reads, by the variables that name them. */
const NAMED = ["DATABASE", "NOT_MY_KEY_FILE", "CLIENTS_FILE"] as const;

for (const variable of NAMED) {
  for (const [what, make] of Object.entries(STANDINS)) {
    refusalTest(`${variable} that is ${what}`, async (directory) => {
      if (variable !== "DATABASE") await fill(directory);
      const path = `${directory.path}/named`;
      await make(path);
      return { [variable]: path };
    });
  }
}

/** Other ways in which a directory with a sound database and its secret is spoilt. */
const SPOILT: Record<string, (directory: Directory) => Promise<Record<string, string> | void>> = {
  "a name below a file": ({ database }) => Promise.resolve({ DATABASE: `${database}/below` }),
  "a name that is too long": ({ path }) =>
    Promise.resolve({ DATABASE: `${path}/${"x".repeat(300)}` }),
  "a directory that is not there": ({ path }) =>
    Promise.resolve({ DATABASE: `${path}/missing/database` }),
  "a database that is cut": ({ database }) => Deno.truncate(database, 10_000),
  "a page that is overwritten": async ({ database }) => {
    using file = await Deno.open(database, { write: true });
    await file.seek(4096, Deno.SeekMode.Start);
    await file.write(new Uint8Array(4096).fill(255));
  },
  "a newer schema": (directory) => execute(directory, "PRAGMA user_version = 1000"),
  "a table that is gone": (directory) => execute(directory, "DROP TABLE auth_logs"),
  "a key's row that was altered": (directory) =>
    execute(directory, "UPDATE keys SET exp = exp + 1"),
  "a record of the secret that is gone": (directory) =>
    execute(directory, "DELETE FROM meta WHERE name LIKE 'kek%'"),
  "another program's database": async (directory) => {
    await Deno.remove(directory.database);
    await execute(directory, "CREATE TABLE theirs (id INTEGER)");
  },
  "a wrong secret": () => Promise.resolve({ NOT_MY_KEY: "not the secret of this database" }),
  "a wrong secret in the file": (directory) =>
    Deno.writeTextFile(`${directory.database}.key`, "not the secret of this database"),
  "a secret that is gone": ({ database }) => Deno.remove(`${database}.key`),
  "a secret of one byte": ({ database }) => Deno.writeTextFile(`${database}.key`, "x"),
  "a log that is a directory": ({ database }) => Deno.mkdir(`${database}-wal`),
  "a log that is a FIFO": ({ database }) => makeFifo(`${database}-wal`),
  "a log that is a link": async ({ path, database }) => {
    await Deno.writeTextFile(`${path}/victim`, "somebody's file");
    await Deno.symlink(`${path}/victim`, `${database}-wal`);
  },
};

for (const [what, spoil] of Object.entries(SPOILT)) {
  refusalTest(what, async (directory) => {
    await fill(directory);
    return await spoil(directory) ?? {};
  });
}

/** Asserts that a start fails with what `prepare` makes, and says the variables of. */
function refusalTest(
  what: string,
  prepare: (directory: Directory) => Promise<Record<string, string>>,
): void {
  Deno.test(`${what} is refused in words that say what to do, and nothing is changed`, async () => {
    await using directory = new Directory();
    const env = { DATABASE: directory.database, ...await prepare(directory) } as Record<
      string,
      string
    >;
    const config = loadConfig((name) => env[name]);
    const before = await inventory(directory.path);
    const begin = performance.now();
    const error = await failureOf(() => startAt(config), what);
    assert.ok(performance.now() - begin < PATIENCE, "it waited");
    assert.ok(isDomainError(error), String(error));
    assert.match(error.code, /_unusable$|^key_unreadable$|^configuration$|^storage_unavailable$/);
    assert.ok(error.hints.length > 0 && error.message.length > 20, error.message);
    assert.ok(!error.message.includes(SECRET));
    assert.deepEqual(await inventory(directory.path), before);
  });
}

/** The first steps of a server's start, in its order. */
async function startAt(config: Config): Promise<void> {
  if (config.clientsFile) await readLastingClientsFile(config.clientsFile, config.policy.tokenTtl);
  const database = await openDatabase(config, createLog("error", () => {}));
  await KeyRing.open(database).finally(() => database.storage.close());
}

function execute({ database }: Directory, sql: string): Promise<void> {
  const connection = new DatabaseSync(database);
  connection.exec(sql);
  connection.close();
  return Promise.resolve();
}

/** Everything below a directory: what it is, its mode, when it was changed, and its bytes. */
async function inventory(directory: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const path of [directory, "/dev/null", "/dev/zero"]) {
    found[path] = (await Deno.stat(path)).mode;
  }
  for await (const { name, isFile, isSymlink } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    const { mode, mtime, ino, size } = await Deno.lstat(path);
    const bytes = isFile ? [...await Deno.readFile(path)].join() : undefined;
    const to = isSymlink ? await Deno.readLink(path) : undefined;
    found[name] = { mode, mtime, ino, size, bytes, to };
  }
  return found;
}
