import assert from "node:assert/strict";
import { isDomainError } from "../../../lib/base/errors.ts";
import { Connection } from "../../../lib/storage/sqlite/connection.ts";
import { SqliteDatabase } from "../../../lib/storage/sqlite/database.ts";
import { examineDatabase } from "../../../lib/storage/sqlite/examination.ts";
import { SqliteStorage } from "../../../lib/storage/sqlite/sqlite_storage.ts";
import { failDisk } from "../../base/disk_error.ts";
import { failureOf, openStorage, withTempDir } from "../../support.ts";

const KEY = { id: 1, key: new Uint8Array([1, 2, 3]), exp: 10 };
const SECRET = { derivation: new Uint8Array([1]), check: new Uint8Array([2]) };
const ALICE = { username: "alice", email: "a@b.c", passwordHash: "x", at: 0 };
const BOB = { ...ALICE, username: "bob", email: "b@c.d" };

interface Snapshot {
  storage: SqliteStorage;
  path: string;
  /** Makes the disk writable. */
  mend(): void;
  /** Lets so many milliseconds go by. */
  wait(milliseconds: number): void;
}

/** Runs `body` with a storage as it is opened from a disk that cannot be written. */
async function withSnapshot(body: (snapshot: Snapshot) => Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    const before = openStorage(path);
    await before.createKeyEncryption(SECRET);
    await before.changeKeys(await before.readKeys(), { put: [KEY], remove: [] });
    await before.createUser(ALICE);
    await before.close();
    const connection = Connection.fromBytes(await Deno.readFile(path))!;
    let time = 0;
    const snapshot = { connection, fault: "read-only" } as const;
    const storage = new SqliteStorage(
      SqliteDatabase.open({ ...examineDatabase(path), snapshot }, { now: () => time }),
    );
    using disk = failDisk("EROFS");
    const wait = (milliseconds: number) => void (time += milliseconds);
    await body({ storage, path, mend: disk.mend, wait });
    await storage.close();
  });
}

async function assertUnavailable(fault: string, work: () => Promise<unknown>, what = "") {
  const error = await failureOf(work, what);
  assert.ok(isDomainError(error, "storage_unavailable"), `${what}: ${error}`);
  assert.equal(error.data.fault, fault, what);
}

Deno.test("SqliteDatabase.open() reads from a snapshot everything that the file has", async () => {
  await withSnapshot(async ({ storage }) => {
    const { records, check } = await storage.readKeys();
    assert.deepEqual(records.map(({ id, key }) => [id, ...key]), [[1, 1, 2, 3]]);
    assert.deepEqual([...check], [2]);
    assert.equal((await storage.findUser("alice"))!.username, "alice");
    assert.ok(await storage.revision() > 0);
  });
});

Deno.test("SqliteDatabase refuses every write to a snapshot, which would be lost, and goes on reading", async () => {
  await withSnapshot(async ({ storage, path }) => {
    const before = await Deno.readFile(path);
    const user = (await storage.findUser("alice"))!;
    const writes = {
      createUser: () => storage.createUser(BOB),
      recordAuthentication: () => storage.recordAuthentication({ ip: "::1", at: 0, user }),
      replacePasswordHash: () => storage.replacePasswordHash(user.id, user.passwordHash, "y"),
      changeKeys: async () =>
        storage.changeKeys(await storage.readKeys(), { put: [{ ...KEY, id: 2 }], remove: [1] }),
      rekey: async () => storage.rekey(await storage.readKeys(), [], SECRET),
      writePolicy: () => storage.writePolicy(new Uint8Array([1])),
      replaceClientPolicy: () => storage.replaceClientPolicy(user.id, undefined, "{}"),
      deleteUser: () => storage.deleteUser(user.id, new Uint8Array([1])),
      assertWritable: () => storage.assertWritable(),
    };
    for (const [name, write] of Object.entries(writes)) {
      await assertUnavailable("read-only", write, name);
    }
    assert.equal(await storage.findUser("bob"), undefined);
    assert.deepEqual(await storage.findUser("alice"), user);
    assert.deepEqual((await storage.readKeys()).records.map(({ id }) => id), [1]);
    assert.deepEqual(await Deno.readFile(path), before);
  });
});

Deno.test("SqliteDatabase writes again, into the file, as soon as that can be written", async () => {
  await withSnapshot(async ({ storage, path, mend }) => {
    mend();
    assert.equal((await storage.createUser(BOB))?.username, "bob");
    const other = openStorage(path);
    assert.deepEqual((await other.listUsers({ limit: 100 })).map(({ username }) => username), [
      "alice",
      "bob",
    ]);
    await other.close();
  });
});

Deno.test("SqliteDatabase.recover() shows what others have written meanwhile, without a write", async () => {
  await withSnapshot(async ({ storage, path, mend }) => {
    const before = await storage.revision();
    mend();
    const other = openStorage(path);
    await other.changeKeys(await other.readKeys(), { put: [{ ...KEY, id: 2 }], remove: [] });
    assert.ok(await storage.revision() > before);
    assert.deepEqual((await storage.readKeys()).records.map(({ id }) => id), [1, 2]);
    await other.close();
  });
});

Deno.test("SqliteDatabase.recover() makes no new database where the old one is gone, and finds it again", async () => {
  await withSnapshot(async ({ storage, path, mend, wait }) => {
    await Deno.rename(path, `${path}.away`);
    mend();
    for (let time = 0; time < 2; time++) {
      await assertUnavailable("unreachable", () => storage.revision());
      await assertUnavailable("unreachable", () => storage.createUser(BOB));
      wait(1000);
    }
    await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
    await Deno.rename(`${path}.away`, path);
    assert.equal((await storage.createUser(BOB))?.username, "bob");
    assert.equal((await storage.findUser("alice"))?.username, "alice");
  });
});

Deno.test("SqliteDatabase.recover() takes nothing else for the database, and finds it again", async () => {
  await withSnapshot(async ({ storage, path, mend, wait }) => {
    await Deno.rename(path, `${path}.away`);
    await Deno.writeTextFile(path, "something else");
    mend();
    await assertUnavailable("unreachable", () => storage.createUser(BOB));
    assert.equal(await Deno.readTextFile(path), "something else");
    await Deno.rename(`${path}.away`, path);
    wait(999);
    await assertUnavailable("unreachable", () => storage.createUser(BOB), "it is not tried yet");
    wait(1);
    assert.equal((await storage.createUser(BOB))?.username, "bob");
  });
});

Deno.test("Connection.fromBytes() leaves the bytes that it is given alone", async () => {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    await openStorage(path).close();
    const bytes = await Deno.readFile(path);
    const before = bytes.slice();
    const connection = Connection.fromBytes(bytes)!;
    assert.equal(connection.get("SELECT 1 FROM keys"), undefined);
    connection.close();
    assert.deepEqual(bytes, before);
  });
});
