import assert from "node:assert/strict";
import { isDomainError } from "../../../lib/base/errors.ts";
import { examineDatabase } from "../../../lib/storage/sqlite/examination.ts";
import { SCHEMA_VERSION } from "../../../lib/storage/sqlite/schema.ts";
import { SqliteStorage } from "../../../lib/storage/sqlite/sqlite_storage.ts";
import { failureOf, openDatabase, openStorage, withTempDir } from "../../support.ts";
import {
  assertRefusedUntouched,
  damageTable,
  makeOldDatabase,
  runElsewhere,
  withDatabase,
} from "./databases.ts";

/** A user, and so many keys that their table is a tree. */
const ROWS = `
  INSERT INTO users (username, password_hash) VALUES ('alice', 'x');
  INSERT INTO meta (name, value) VALUES ('kek_derivation', x'0a'), ('kek_check', x'0b');
  WITH RECURSIVE number (value) AS (VALUES (1) UNION SELECT value + 1 FROM number WHERE value < 50)
    INSERT INTO keys (kid, key, exp) SELECT value, zeroblob(400), 1 FROM number;
`;
/** Where the first page of a tree has the number of its last branch (fileformat.html §1.6). */
const LAST_CHILD = { from: 8, to: 12 };
/** The smallest pages, so that there are many of them in a small file. */
const pageSize = 512;

/** Runs `body` with a database whose users are damaged, and that has this many pages more. */
async function withDamagedUsers(
  pages: number,
  body: (path: string) => Promise<void>,
): Promise<void> {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    const filler = `INSERT INTO auth_logs (request_ip) VALUES (zeroblob(${pages * pageSize}));`;
    makeOldDatabase(path, SCHEMA_VERSION, { pageSize, rows: ROWS + filler });
    await damageTable(path, "users", { pageSize });
    await body(path);
  });
}

/** Asserts that this fails as storage does that cannot be used just now. */
async function assertDamaged(work: () => Promise<unknown>): Promise<void> {
  const error = await failureOf(work);
  assert.ok(isDomainError(error, "storage_unavailable"), String(error));
  assert.equal(error.data.fault, "damaged");
}

Deno.test("examineDatabase() refuses a database whose users are damaged while it is small", async () => {
  await withDamagedUsers(100, (path) => assertRefusedUntouched(path, /corrupt/));
});

Deno.test("examineDatabase() does not look through the users of a large database, whose start is not to wait", async () => {
  await withDamagedUsers(5000, async (path) => {
    const storage = openStorage(path);
    assert.equal((await storage.readKeys()).records.length, 50);
    await storage.close();
  });
});

Deno.test("examineDatabase() looks through all keys of a large database all the same", async () => {
  await withDamagedUsers(5000, async (path) => {
    await damageTable(path, "keys", { pageSize, ...LAST_CHILD });
    await assertRefusedUntouched(path, /corrupt/);
  });
});

Deno.test("SqliteStorage tells damage that it meets at run time as storage that cannot be used", async () => {
  await withDamagedUsers(5000, async (path) => {
    const storage = openStorage(path);
    const before = await storage.revision();
    await assertDamaged(() => storage.listUsers({ limit: 100 }));
    await assertDamaged(() => storage.findUser("alice"));
    await assertDamaged(() =>
      storage.createUser({ username: "bob", email: "b@c.d", passwordHash: "x", at: 0 })
    );
    const change = { put: [{ id: 1, key: new Uint8Array([1]), exp: 1 }], remove: [] };
    assert.equal(
      await storage.changeKeys(await storage.readKeys(), change),
      true,
      "keys are sound",
    );
    assert.ok(await storage.revision() > before);
    await storage.close();
  });
});

Deno.test("SqliteStorage gives a number that JavaScript cannot hold as text, and works on its row", async () => {
  const database = openDatabase();
  const storage = new SqliteStorage(database);
  database.run(
    "INSERT INTO users (id, username, password_hash) VALUES (9007199254740993, 'alice', 'x')",
  );
  database.run("INSERT INTO users (id, username, password_hash) VALUES (1, 'bob', 'x')");
  assert.deepEqual((await storage.listUsers({ limit: 100 })).map(({ id }) => id), [
    1,
    "9007199254740993",
  ]);
  const alice = (await storage.findUser("alice"))!;
  assert.ok(await storage.replacePasswordHash(alice.id, "x", "y"));
  const user = { ...alice, passwordHash: "y" };
  assert.notEqual(await storage.recordAuthentication({ ip: "::1", at: 0, user }), undefined);
  const [entry] = await storage.newestAuthentications(1);
  assert.equal(entry!.username, "alice");
  assert.equal((await storage.findUser("bob"))!.passwordHash, "x");
  await storage.close();
});

Deno.test("SqliteStorage takes bytes in a column of text for text, whoever wrote them there", async () => {
  const database = openDatabase();
  const storage = new SqliteStorage(database);
  database.run("INSERT INTO users (username, password_hash) VALUES ('alice', CAST('x' AS BLOB))");
  database.run("INSERT INTO auth_logs (request_ip, request_timestamp) VALUES (x'41', 5)");
  const [alice] = await storage.listUsers({ limit: 100 });
  assert.equal(alice!.passwordHash, "x");
  assert.ok(await storage.replacePasswordHash(alice!.id, "x", "y"));
  const query = { afterId: 0, since: 0, limit: 10 };
  const [entry] = await storage.readAuthentications(query);
  assert.deepEqual([entry!.ip, entry!.oddTime], ["A", "5"]);
  await storage.close();
});

Deno.test("examineDatabase() leaves the users alone for a command, which may need the keys alone", async () => {
  await withDamagedUsers(100, (path) => {
    assert.equal(examineDatabase(path).isNew, false);
    return Promise.resolve();
  });
});

Deno.test("SqliteDatabase.open() counts changes again when the counter was spoilt", async () => {
  await withDatabase(async (path) => {
    for (const spoilt of ["'9e999'", "9007199254740993", "x'00'", "-1"]) {
      runElsewhere(path, `UPDATE meta SET value = ${spoilt} WHERE name = 'keys_revision'`);
      const storage = openStorage(path);
      const before = await storage.revision();
      await storage.writePolicy(new TextEncoder().encode(spoilt));
      assert.ok(await storage.revision() > before, spoilt);
      await storage.close();
    }
  });
});
