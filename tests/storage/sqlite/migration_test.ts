import assert from "node:assert/strict";
import { examineDatabase } from "../../../lib/storage/sqlite/examination.ts";
import { SCHEMA_VERSION } from "../../../lib/storage/sqlite/schema.ts";
import { SqliteStorage } from "../../../lib/storage/sqlite/sqlite_storage.ts";
import { openDatabase, openStorage, withTempDir } from "../../support.ts";
import { makeOldDatabase, runElsewhere } from "./databases.ts";

const ROWS = `
  INSERT INTO keys (kid, key, exp) VALUES (1, x'01', 11), (2, x'02', 12);
  INSERT INTO users (id, username, password_hash, email) VALUES (7, 'alice', 'x', 'a@b.c');
  INSERT INTO auth_logs (request_ip, request_timestamp, user_id)
    VALUES ('192.0.2.1', '2030-01-01 00:00:01', 7);
  INSERT INTO meta (name, value) VALUES ('kek_derivation', x'0a'), ('kek_check', x'0b');
`;

/** The versions that were released before this one. */
const EARLIER = Array.from({ length: SCHEMA_VERSION - 1 }, (_, index) => index + 1);

for (const earlier of EARLIER) testMigration(earlier);

function testMigration(earlier: number): void {
  Deno.test(`SqliteDatabase.open() brings a database of version ${earlier} up to date with all its rows`, async () => {
    await withTempDir(async (directory) => {
      const path = `${directory}/db`;
      makeOldDatabase(path, earlier, { rows: ROWS });
      assert.deepEqual([...examineDatabase(path).keyEncryption!.check], [0x0b]);
      const database = openDatabase(path);
      const storage = new SqliteStorage(database);
      const version = database.get<{ user_version: number }>("PRAGMA user_version")!.user_version;
      assert.equal(version, SCHEMA_VERSION);
      const { records, odd, check } = await storage.readKeys();
      assert.deepEqual(records.map(({ id, key, exp }) => [id, ...key, exp]), [[1, 1, 11], [
        2,
        2,
        12,
      ]]);
      assert.deepEqual([odd, [...check]], [[], [0x0b]]);
      assert.deepEqual((await storage.listUsers({ limit: 100 })).map(({ id }) => id), [7]);
      const [entry] = await storage.newestAuthentications(10);
      assert.deepEqual(entry?.username, "alice");
      const client = (await storage.findClient("alice"))!;
      assert.deepEqual([client.policy, client.credentials], [undefined, []]);
      await storage.close();
    });
  });

  Deno.test(`SqliteDatabase.open() counts the changes of a database of version ${earlier} from then on`, async () => {
    await withTempDir(async (directory) => {
      const path = `${directory}/db`;
      makeOldDatabase(path, earlier, { rows: ROWS });
      const storage = openStorage(path);
      const expected = await storage.readKeys();
      assert.equal(await storage.revision(), expected.revision);
      runElsewhere(path, "UPDATE keys SET exp = 99 WHERE kid = 1");
      assert.ok(await storage.revision() > expected.revision);
      const change = { put: [{ id: 3, key: new Uint8Array([3]), exp: 13 }], remove: [] };
      assert.equal(await storage.changeKeys(expected, change), false);
      assert.equal(await storage.changeKeys(await storage.readKeys(), change), true);
      await storage.close();
    });
  });

  Deno.test(`SqliteDatabase.open() makes of version ${earlier} what a new database is, and migrates it once`, async () => {
    await withTempDir((directory) => {
      const path = `${directory}/db`;
      makeOldDatabase(path, earlier, { rows: ROWS });
      const fresh = schemaOf();
      assert.deepEqual(schemaOf(path), fresh);
      assert.deepEqual(schemaOf(path), fresh);
      return Promise.resolve();
    });
  });
}

/** Everything in the schema of a database that is opened, and closed again. */
function schemaOf(path?: string): unknown[] {
  const database = openDatabase(path);
  const rows = database.all<object>("SELECT name, sql FROM sqlite_schema ORDER BY name");
  database.close();
  return rows.map((row) => ({ ...row }));
}
