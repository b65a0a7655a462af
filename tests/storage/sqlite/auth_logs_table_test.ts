import assert from "node:assert/strict";
import type { Storage } from "../../../lib/storage/storage.ts";
import type { SqliteDatabase } from "../../../lib/storage/sqlite/database.ts";
import { SqliteStorage } from "../../../lib/storage/sqlite/sqlite_storage.ts";
import { openDatabase } from "../../support.ts";

const SINCE = Date.UTC(2030, 0, 1);

/** A storage with rows of a successful user in `auth_logs`, at times as SQL writes them. */
async function withTimes(...times: string[]): Promise<SqliteStorage> {
  const database = openDatabase();
  const storage = new SqliteStorage(database);
  await storage.createUser({ username: "alice", email: "a@b.c", passwordHash: "x", at: 0 });
  for (const time of times) addRow(database, time, "1");
  return storage;
}

function addRow(database: SqliteDatabase, time: string, userId: string): void {
  database.run(
    `INSERT INTO auth_logs (request_ip, request_timestamp, user_id) VALUES ('::1', ${time}, ${userId})`,
  );
}

/** What is counted since then; the storage is closed afterwards. */
async function counted(storage: Storage) {
  const count = { ...await storage.countAuthentications(SINCE) };
  await storage.close();
  return count;
}

Deno.test("countAuthentications() takes the newest time from the rows that have one, and names the others", async () => {
  for (
    const odd of [
      "'now'",
      "'2030-01-02T03:04:05Z'",
      "'2030-01-02 03:04:05.000'",
      "'2030-1-2 3:4:5'",
      "'9999'||'9-01-01 00:00:00'",
      "'2030-01-02 03:04:05 '",
      "'Jan 2, 2030'",
    ]
  ) {
    const storage = await withTimes("'2030-01-01 00:00:01'", odd, "'2030-01-01 00:00:02'");
    assert.deepEqual(
      await counted(storage),
      { count: 3, newest: Date.UTC(2030, 0, 1, 0, 0, 2), odd: 2 },
      odd,
    );
  }
});

Deno.test("countAuthentications() names a row whose time has the form of one and is none", async () => {
  const storage = await withTimes("'2030-01-01 00:00:01'", "'2030-02-30 00:00:00'");
  assert.deepEqual(await counted(storage), { count: 2, newest: null, odd: 2 });
});

Deno.test("countAuthentications() names the first of several odd rows, and no time when all are odd", async () => {
  const storage = await withTimes("'tomorrow'", "'soon'");
  assert.deepEqual(await counted(storage), { count: 2, newest: null, odd: 1 });
});

Deno.test("countAuthentications() names an odd row also when its authentication failed", async () => {
  const database = openDatabase();
  addRow(database, "'soon'", "NULL");
  addRow(database, "'2030-01-01 00:00:01'", "NULL");
  assert.deepEqual(await counted(new SqliteStorage(database)), {
    count: 0,
    newest: null,
    odd: 1,
  });
});

Deno.test("countAuthentications() does not pass over a row whose time is a number, missing, or sorts before all others", async () => {
  for (const odd of ["1893553445", "1893553445.5", "NULL", "'01/02/2030 03:04:05'", "''"]) {
    const storage = await withTimes("'2030-01-01 00:00:01'", odd);
    const { newest, odd: found } = await counted(storage);
    assert.deepEqual({ newest, found }, { newest: Date.UTC(2030, 0, 1, 0, 0, 1), found: 2 }, odd);
  }
});

Deno.test("readAuthentications() and newestAuthentications() give odd times as they are", async () => {
  const storage = await withTimes("'soon'", "'2030-01-01 00:00:01'");
  const query = { afterId: 0, since: 0, limit: 10 };
  const entries = await storage.readAuthentications(query);
  assert.deepEqual(entries.map(({ at, oddTime }) => [at, oddTime]), [
    [null, "soon"],
    [Date.UTC(2030, 0, 1, 0, 0, 1), null],
  ]);
  const [newest] = await storage.newestAuthentications(1);
  assert.equal(newest?.oddTime, "soon");
  await storage.close();
});

Deno.test("recordAuthentication() writes no row of a user that was deleted or renumbered since", async () => {
  const database = openDatabase();
  const storage = new SqliteStorage(database);
  const user = (await storage.createUser({
    username: "alice",
    email: "a@b.c",
    passwordHash: "x",
    at: 0,
  }))!;
  database.run("DELETE FROM users");
  assert.equal(await storage.recordAuthentication({ ip: "::1", at: 0, user }), undefined);
  assert.deepEqual(database.all("SELECT * FROM auth_logs"), []);
  await storage.close();
});
