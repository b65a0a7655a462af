import assert from "node:assert/strict";
import { SqliteStorage } from "../../../lib/storage/sqlite/sqlite_storage.ts";
import { failureOf, openDatabase } from "../../support.ts";
import { isDomainError } from "../../../lib/base/errors.ts";

const ALICE = { username: "alice", email: "a@b.c", passwordHash: "x", at: 0 };

function columnsOf(database: ReturnType<typeof openDatabase>, table: string): string[] {
  return database.all<{ name: string }>(`PRAGMA table_info(${table})`).map(({ name }) => name);
}

Deno.test("SqliteDatabase.open() makes the tables of clients, with no column for a deleted name", () => {
  const database = openDatabase();
  assert.deepEqual(columnsOf(database, "client_policies"), ["user_id", "policy"]);
  assert.deepEqual(
    columnsOf(database, "client_credentials").join(" "),
    "id user_id type kid value created_at valid_until last_used",
  );
  assert.deepEqual(columnsOf(database, "tombstones"), ["name_hash"]);
  database.close();
});

Deno.test("deleteUser() leaves no row of the user in any table", async () => {
  const database = openDatabase();
  const storage = new SqliteStorage(database);
  const { id } = (await storage.createUser(ALICE))!;
  await storage.replaceClientPolicy(id, undefined, "{}");
  await storage.addCredential(id, { kid: "one", value: "{}", at: 0 });
  const kept = { value: "x", at: 0, validUntil: 1 };
  await storage.replacePassword(id, { from: "x", to: "y", kept });
  await storage.deleteUser(id, new Uint8Array([1]));
  for (const table of ["users", "client_policies", "client_credentials"]) {
    assert.deepEqual(database.all(`SELECT * FROM ${table}`), [], table);
  }
  assert.equal(database.all("SELECT * FROM tombstones").length, 1);
  await storage.close();
});

Deno.test("nameKey() makes no new key when the one of deleted names is lost", async () => {
  const database = openDatabase();
  const storage = new SqliteStorage(database);
  const { id } = (await storage.createUser(ALICE))!;
  await storage.nameKey(new Uint8Array([1]));
  await storage.deleteUser(id, new Uint8Array([1]));
  database.run("DELETE FROM meta WHERE name = 'name_key'");
  const error = await failureOf(() => storage.nameKey(new Uint8Array([2])));
  assert.ok(isDomainError(error, "database_unusable"), String(error));
  assert.deepEqual(database.all("SELECT * FROM meta WHERE name = 'name_key'"), []);
  await storage.close();
});
