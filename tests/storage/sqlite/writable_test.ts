import assert from "node:assert/strict";
import { isDomainError } from "../../../lib/base/errors.ts";
import { SqliteStorage } from "../../../lib/storage/sqlite/sqlite_storage.ts";
import { failDisk } from "../../base/disk_error.ts";
import { failureOf, openDatabase, openStorage, withTempDir } from "../../support.ts";

const ALICE = { username: "alice", email: "a@b.c", passwordHash: "x", at: 0 };

/** Runs `body` with a storage in a file and a connection of another process to it. */
async function withFile(
  body: (
    parts: { storage: SqliteStorage; other: ReturnType<typeof openDatabase>; path: string },
  ) => Promise<void>,
): Promise<void> {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    const storage = openStorage(path);
    const other = openDatabase(path);
    await body({ storage, other, path }).finally(async () => {
      other.close();
      await storage.close();
    });
  });
}

async function faultOf(work: () => Promise<unknown>): Promise<string | undefined> {
  const error = await failureOf(work);
  assert.ok(isDomainError(error, "storage_unavailable"), String(error));
  return error.data.fault;
}

Deno.test("SqliteStorage.assertWritable() writes to the disk each time, and the files stay small", async () => {
  await withFile(async ({ storage, path }) => {
    const log = `${path}-wal`;
    const sizes: number[] = [];
    for (let time = 0; time < 3; time++) {
      await storage.assertWritable();
      sizes.push((await Deno.stat(log)).size);
    }
    assert.ok(sizes[0]! < sizes[1]! && sizes[1]! < sizes[2]!, sizes.join());
    const before = (await Deno.stat(path)).size;
    for (let time = 0; time < 1000; time++) await storage.assertWritable();
    assert.ok((await Deno.stat(log)).size < 2 ** 20, "the log is used again and again");
    assert.ok((await Deno.stat(path)).size <= Math.max(before, 2 ** 18));
  });
});

Deno.test("SqliteStorage.assertWritable() notices a lock, and recovers", async () => {
  await withFile(async ({ storage, other }) => {
    other.run("BEGIN IMMEDIATE");
    assert.equal(await faultOf(() => storage.assertWritable()), "locked");
    other.run("ROLLBACK");
    await storage.assertWritable();
  });
});

Deno.test("SqliteStorage.assertWritable() notices a file that was deleted, and a disk that is read-only", async () => {
  await withFile(async ({ storage, path }) => {
    await Deno.rename(path, `${path}.away`);
    assert.equal(await faultOf(() => storage.assertWritable()), "unreachable");
    await Deno.rename(`${path}.away`, path);
    await storage.assertWritable();
  });
  const database = openDatabase();
  const storage = new SqliteStorage(database);
  database.get("PRAGMA query_only = 1");
  using disk = failDisk("EROFS");
  assert.equal(await faultOf(() => storage.assertWritable()), "read-only");
  disk.mend();
  await storage.close();
});

Deno.test("SqliteStorage counts what it could not do by the reason, once for each call", async () => {
  await withFile(async ({ storage, other }) => {
    const none = { ...storage.failures };
    assert.deepEqual(new Set(Object.values(none)), new Set([0]));
    other.run("BEGIN IMMEDIATE");
    await faultOf(() => storage.createUser(ALICE));
    await faultOf(() => storage.assertWritable());
    other.run("ROLLBACK");
    assert.deepEqual(storage.failures, { ...none, locked: 2 });

    other.run(
      "CREATE TRIGGER refuse BEFORE INSERT ON users BEGIN SELECT RAISE (ABORT, 'not today'); END",
    );
    await failureOf(() => storage.createUser(ALICE));
    assert.deepEqual(storage.failures, { ...none, locked: 2, altered: 1 });
    other.run("DROP TRIGGER refuse");
  });
});

Deno.test("SqliteStorage counts as no failure what a caller could not have", async () => {
  const storage = openStorage();
  await storage.createUser(ALICE);
  assert.equal(await storage.createUser(ALICE), undefined);
  const taken = { remove: [], update: [], create: [{ ...ALICE, keys: [] }] };
  assert.equal(await storage.applyClients([], taken), false);
  assert.deepEqual(new Set(Object.values(storage.failures)), new Set([0]));
  await storage.close();
});
