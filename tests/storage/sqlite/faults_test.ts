import assert from "node:assert/strict";
import { isDomainError, type StorageFault } from "../../../lib/base/errors.ts";
import { examineDatabase } from "../../../lib/storage/sqlite/examination.ts";
import { classify, openFailure } from "../../../lib/storage/sqlite/faults.ts";
import { SqliteStorage } from "../../../lib/storage/sqlite/sqlite_storage.ts";
import { failureOf, openDatabase, openStorage, withTempDir } from "../../support.ts";

const RECORD = { derivation: new Uint8Array([1]), check: new Uint8Array([2]) };
const KEY = { id: 1, key: new Uint8Array([1, 2, 3]), exp: 10 };
/** Asserts that the storage cannot be used, for this reason. */
function assertFault(error: unknown, fault: StorageFault): void {
  assert.ok(isDomainError(error, "storage_unavailable"), String(error));
  assert.equal(error.data.fault, fault);
}

const ALICE = { username: "alice", email: "alice@example.com", passwordHash: "hash", at: 0 };

Deno.test("SqliteStorage waits for a short lock without holding up the event loop", async () => {
  await withTempDir(async (directory) => {
    const storage = openStorage(`${directory}/db`);
    const other = openDatabase(`${directory}/db`);
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
      const storage = openStorage(path);
      await Deno.rename(path, `${path}.away`);
      if (replace) await Deno.copyFile(`${path}.away`, path);
      const error = await failureOf(() => storage.createUser(ALICE));
      assertFault(error, "unreachable");

      await Deno.rename(`${path}.away`, path);
      assert.equal((await storage.createUser(ALICE))?.username, "alice", "it recovers");
      await storage.close();
    });
  });
}

for (const name of ["kek_check", "kek_derivation"]) {
  Deno.test(`examineDatabase() refuses keys whose ${name} is lost, and nothing makes it anew`, async () => {
    await withTempDir(async (directory) => {
      const path = `${directory}/db`;
      const storage = openStorage(path);
      await storage.createKeyEncryption(RECORD);
      await storage.changeKeys(await storage.readKeys(), { put: [KEY], remove: [] });
      await storage.close();
      const database = openDatabase(path);
      database.run("DELETE FROM meta WHERE name = ?", name);

      const error = await failureOf(() => examineDatabase(path));
      assert.ok(isDomainError(error, "database_unusable"), String(error));
      assert.match(error.hints.join(), /backup/);
      const damaged = new SqliteStorage(database);
      const again = await failureOf(() => damaged.createKeyEncryption(RECORD));
      assert.ok(isDomainError(again, "database_unusable"), String(again));
      assert.equal(database.all("SELECT name FROM meta WHERE name LIKE 'kek%'").length, 1);
      await damaged.close();
    });
  });
}

Deno.test("SqliteDatabase.open() of a locked database says that it is locked, not misconfigured", async () => {
  await withTempDir(async (directory) => {
    const holder = openDatabase(`${directory}/db`);
    holder.get("PRAGMA locking_mode = EXCLUSIVE");
    holder.run("BEGIN EXCLUSIVE");
    const error = await failureOf(() => openDatabase(`${directory}/db`));
    assertFault(error, "locked");
    holder.run("ROLLBACK");
    holder.close();
  });
});

/** What SQLite raises, by its extended result code. */
function raised(errcode: number): Error {
  return Object.assign(new Error("SQLite's own words"), { errcode });
}

Deno.test("classify() tells what may pass by itself, by its result code, from all else", () => {
  const faults: Record<StorageFault, number[]> = {
    locked: [5, 261, 517, 6, 262],
    "read-only": [8, 264, 520, 776, 1032],
    unreachable: [10, 266, 522, 1546, 14, 270, 526],
    damaged: [11, 267, 523, 779, 26],
    full: [13, 4874],
    altered: [1811],
  };
  for (const [fault, codes] of Object.entries(faults) as [StorageFault, number[]][]) {
    for (const code of codes) {
      const cause = raised(code);
      const error = classify(cause);
      assertFault(error, fault);
      assert.equal((error as Error).cause, cause);
      assert.doesNotMatch((error as Error).message, /own words/);
    }
  }
  const others = [
    raised(1),
    raised(19),
    raised(2067),
    new RangeError("no"),
    "text",
    null,
    undefined,
  ];
  for (const other of others) assert.equal(classify(other), other);
});

Deno.test("openFailure() says that a damaged database is corrupt, and of others what may pass", () => {
  const corrupt = openFailure("/some/db", raised(11));
  assert.ok(isDomainError(corrupt, "database_unusable"), String(corrupt));
  assert.match(corrupt.message, /^The database \/some\/db is corrupt/);
  assertFault(openFailure("/some/db", raised(5)), "locked");
  assertFault(openFailure("/some/db", raised(8)), "read-only");
  assertFault(openFailure("/some/db", raised(10)), "unreachable");
  assert.equal(openFailure("/some/db", corrupt), corrupt, "what was told is not told again");
  const other = openFailure("/some/db", raised(1));
  assert.ok(isDomainError(other, "database_unusable"), String(other));
  assert.match(other.hints.join(), /DATABASE/);
});
