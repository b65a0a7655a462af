import assert from "node:assert/strict";
import { isDomainError } from "../../../lib/base/errors.ts";
import type { SqliteDatabase } from "../../../lib/storage/sqlite/database.ts";
import { CLIENT_TABLES, TABLES } from "../../../lib/storage/sqlite/schema.ts";
import { SqliteStorage } from "../../../lib/storage/sqlite/sqlite_storage.ts";
import type { UserRecord } from "../../../lib/storage/storage.ts";
import { testStorage } from "../storage_conformance.ts";
import { failureOf, openDatabase, openStorage, withTempDir } from "../../support.ts";

testStorage("SqliteStorage in memory", () => {
  const storage = openStorage();
  return Promise.resolve({ storage, close: () => storage.close() });
});

testStorage("SqliteStorage in a file", async () => {
  const directory = await Deno.makeTempDir();
  const storage = openStorage(`${directory}/db`);
  const close = async () => {
    await storage.close();
    await Deno.remove(directory, { recursive: true });
  };
  return { storage, close };
});

const RECORD = { derivation: new Uint8Array([1]), check: new Uint8Array([2]) };
const KEY = { id: 1, key: new Uint8Array([1, 2, 3]), exp: 10 };

function user(name: string, passwordHash = "$argon2id$") {
  return { username: name, email: `${name}@example.com`, passwordHash, at: 0 };
}

interface Connections {
  storage: SqliteStorage;
  /** The connection of `storage`. */
  database: SqliteDatabase;
  /** Another connection to the same file. */
  other: SqliteDatabase;
}

/** Runs `body` with two connections to one file. */
async function withTwo(body: (connections: Connections) => Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    const database = openDatabase(`${directory}/db`);
    const other = openDatabase(`${directory}/db`);
    try {
      await body({ storage: new SqliteStorage(database), database, other });
    } finally {
      database.close();
      other.close();
    }
  });
}

async function assertUnavailable(fault: string, work: () => Promise<unknown>): Promise<void> {
  const error = await failureOf(work, fault);
  assert.ok(isDomainError(error, "storage_unavailable"), String(error));
  assert.equal(error.data.fault, fault);
}

/** Every way to write, each of which would leave something behind. */
function writes(storage: SqliteStorage, alice: UserRecord): (() => Promise<unknown>)[] {
  return [
    () => storage.createKeyEncryption(RECORD),
    async () => storage.changeKeys(await storage.readKeys(), { put: [KEY], remove: [] }),
    () => storage.createUser(user("bob")),
    () => storage.recordAuthentication({ ip: "::1", at: 0, user: alice }),
    () => storage.replacePasswordHash(alice.id, alice.passwordHash, "another"),
    async () => storage.rekey(await storage.readKeys(), [KEY], RECORD),
    () => storage.purgeAuthentications(Date.UTC(2100), 10),
    () => storage.writePolicy(new Uint8Array([1])),
    () => storage.nameKey(new Uint8Array([1])),
    () => storage.replaceClientPolicy(alice.id, undefined, "{}"),
    () => storage.addCredential(alice.id, { kid: "one", value: "{}", at: 0 }),
    () => storage.replacePassword(alice.id, { from: "another", to: "a third" }),
    () =>
      storage.applyClients([], { remove: [], update: [], create: [{ ...user("c"), keys: [] }] }),
    () => storage.deleteUser(alice.id, new Uint8Array([2])),
  ];
}

/** Everything in the tables. */
function contents(database: SqliteDatabase): unknown {
  return [...TABLES, ...CLIENT_TABLES].map((table) =>
    database.all(`SELECT * FROM ${table}`).map((row) => ({ ...row as object }))
  );
}

Deno.test("SqliteStorage.changeKeys() refuses what another connection was faster to change", async () => {
  await withTwo(async ({ storage, other }) => {
    const expected = await storage.readKeys();
    const second = new SqliteStorage(other);
    assert.equal(await second.changeKeys(expected, { put: [KEY], remove: [] }), true);
    const late = { put: [{ ...KEY, id: 2 }], remove: [] };
    assert.equal(await storage.changeKeys(expected, late), false);
    assert.deepEqual((await storage.readKeys()).records.map(({ id }) => id), [1]);
  });
});

Deno.test("SqliteStorage refuses every write while locked, writes nothing, and recovers", async () => {
  await withTwo(async ({ storage, other }) => {
    const alice = (await storage.createUser(user("alice")))!;
    await storage.recordAuthentication({ ip: "::1", at: 0, user: null });
    const before = contents(other);
    other.run("BEGIN IMMEDIATE");
    await Promise.all(writes(storage, alice).map((write) => assertUnavailable("locked", write)));
    assert.deepEqual(await storage.findUser("nobody"), undefined); // reading needs no lock
    other.run("ROLLBACK");
    assert.deepEqual(contents(other), before);
    for (const write of writes(storage, alice)) await write();
    assert.equal((await storage.findUser("bob"))!.username, "bob");
  });
});

Deno.test("SqliteStorage refuses to write when the disk is full, stores nothing, and recovers", async () => {
  await withTwo(async ({ storage, database, other }) => {
    const [row] = database.all<{ page_count: number }>("PRAGMA page_count");
    database.get(`PRAGMA max_page_count = ${row!.page_count}`);
    const large = "x".repeat(100_000);
    const before = contents(other);
    const put = [KEY, { ...KEY, id: 2, key: new TextEncoder().encode(large) }];
    await assertUnavailable(
      "full",
      async () => storage.changeKeys(await storage.readKeys(), { put, remove: [] }),
    );
    await assertUnavailable("full", () => storage.createUser(user("alice", large)));
    await assertUnavailable(
      "full",
      () => storage.recordAuthentication({ ip: large, at: 0, user: null }),
    );
    assert.deepEqual(contents(other), before);
    assert.deepEqual(contents(database), before);
    database.get("PRAGMA max_page_count = 1000000");
    assert.equal((await storage.createUser(user("alice", large)))!.passwordHash, large);
    assert.equal(await storage.changeKeys(await storage.readKeys(), { put, remove: [] }), true);
  });
});

Deno.test("SqliteStorage refuses every write when it is read-only", async () => {
  await withTwo(async ({ storage, database }) => {
    const alice = (await storage.createUser(user("alice")))!;
    await storage.recordAuthentication({ ip: "::1", at: 0, user: null });
    database.run("PRAGMA query_only = ON");
    for (const write of writes(storage, alice)) await assertUnavailable("read-only", write);
    database.run("PRAGMA query_only = OFF");
    for (const write of writes(storage, alice)) await write();
  });
});

Deno.test("SqliteStorage never gives the number of a deleted user to another", async () => {
  await withTwo(async ({ storage, other }) => {
    const { id } = (await storage.createUser(user("alice")))!;
    other.run("DELETE FROM users WHERE id = ?", id);
    assert.ok((await storage.createUser(user("bob")))!.id > id);
  });
});

Deno.test("SqliteStorage.backup() writes a whole copy, also while another one writes", async () => {
  await withTempDir(async (directory) => {
    const storage = openStorage(`${directory}/db`);
    const other = openDatabase(`${directory}/db`);
    const alice = await storage.createUser(user("alice"));
    other.run("BEGIN IMMEDIATE");
    other.run("UPDATE users SET username = 'half done'");
    await storage.backup(`${directory}/copy`);
    other.run("ROLLBACK");
    other.close();
    await storage.close();
    const copy = openStorage(`${directory}/copy`);
    assert.deepEqual(await copy.listUsers({ limit: 100 }), [{ ...alice }]);
    await copy.close();
  });
});

Deno.test("SqliteStorage keeps everything when it is closed and opened again", async () => {
  await withTempDir(async (directory) => {
    const first = openStorage(`${directory}/db`);
    const alice = await first.createUser(user("alice"));
    await first.createKeyEncryption(RECORD);
    await first.close();
    const second = openStorage(`${directory}/db`);
    assert.deepEqual(await second.findUser("alice"), alice);
    assert.deepEqual([...(await second.readKeyEncryption())!.check], [...RECORD.check]);
    await second.close();
  });
});
