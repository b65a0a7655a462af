import assert from "node:assert/strict";
import { CommandError, StorageUnavailableError } from "../../../lib/base/errors.ts";
import { SqliteDatabase } from "../../../lib/storage/sqlite/database.ts";
import { peekKeyEncryption } from "../../../lib/storage/sqlite/meta.ts";
import { SqliteStorage } from "../../../lib/storage/sqlite/sqlite_storage.ts";
import { failureOf, withTempDir } from "../../support.ts";

const RECORD = { derivation: new Uint8Array([1]), check: new Uint8Array([2]) };
const KEY = { kid: 1, key: new Uint8Array([1, 2, 3]), exp: 10 };
const ALICE = { username: "alice", email: "alice@example.com", passwordHash: "hash", at: 0 };

Deno.test("SqliteStorage waits for a short lock without holding up the event loop", async () => {
  await withTempDir(async (directory) => {
    const storage = new SqliteStorage(SqliteDatabase.open(`${directory}/db`));
    const other = SqliteDatabase.open(`${directory}/db`);
    other.run("BEGIN IMMEDIATE");
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const created = storage.createUser(ALICE);
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.ok(turns >= 10, `the event loop turned ${turns} times in 60 ms`);
    other.run("ROLLBACK");
    assert.equal((await created)?.username, "alice");
    clearInterval(timer);
    other.close();
    await storage.close();
  });
});

for (const replace of [false, true]) {
  const what = replace ? "replaced" : "deleted";
  Deno.test(`SqliteStorage refuses to write into a file that was ${what}`, async () => {
    await withTempDir(async (directory) => {
      const path = `${directory}/db`;
      const storage = new SqliteStorage(SqliteDatabase.open(path));
      await Deno.rename(path, `${path}.away`);
      if (replace) await Deno.copyFile(`${path}.away`, path);
      const error = await failureOf(() => storage.createUser(ALICE));
      assert.ok(error instanceof StorageUnavailableError && error.fault === "unreachable");

      await Deno.rename(`${path}.away`, path);
      assert.equal((await storage.createUser(ALICE))?.username, "alice", "it recovers");
      await storage.close();
    });
  });
}

for (const name of ["kek_check", "kek_derivation"]) {
  Deno.test(`peekKeyEncryption() refuses keys whose ${name} is lost, and nothing makes it anew`, async () => {
    await withTempDir(async (directory) => {
      const path = `${directory}/db`;
      const storage = new SqliteStorage(SqliteDatabase.open(path));
      await storage.createKeyEncryption(RECORD);
      const { check } = await storage.readKeys();
      await storage.changeKeys({ records: [], check }, { put: [KEY], remove: [] });
      await storage.close();
      const database = SqliteDatabase.open(path);
      database.run("DELETE FROM meta WHERE name = ?", name);

      const error = await failureOf(() => peekKeyEncryption(path));
      assert.ok(error instanceof CommandError && error.exitCode === 78);
      const damaged = new SqliteStorage(database);
      await assert.rejects(damaged.createKeyEncryption(RECORD), CommandError);
      assert.equal(database.all("SELECT name FROM meta").length, 1);
      await damaged.close();
    });
  });
}

Deno.test("SqliteDatabase.open() of a locked database says that it is locked, not misconfigured", async () => {
  await withTempDir(async (directory) => {
    const holder = SqliteDatabase.open(`${directory}/db`);
    holder.get("PRAGMA locking_mode = EXCLUSIVE");
    holder.run("BEGIN EXCLUSIVE");
    const error = await failureOf(() => SqliteDatabase.open(`${directory}/db`));
    assert.ok(error instanceof StorageUnavailableError && error.fault === "locked");
    holder.run("ROLLBACK");
    holder.close();
  });
});
