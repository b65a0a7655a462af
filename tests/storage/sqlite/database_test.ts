import assert from "node:assert/strict";
import { isDomainError } from "../../../lib/base/errors.ts";
import { copyCheckpointed } from "../../../lib/storage/sqlite/checkpointed_copy.ts";
import { SCHEMA_VERSION } from "../../../lib/storage/sqlite/schema.ts";
import { failureOf, openDatabase, withTempDir } from "../../support.ts";
import { withDatabase } from "./databases.ts";

/** The contract with graders: name, type, NOT NULL, default, place in the primary key. */
const TABLES = {
  keys: [
    ["kid", "INTEGER", 0, null, 1],
    ["key", "BLOB", 1, null, 0],
    ["exp", "INTEGER", 1, null, 0],
  ],
  users: [
    ["id", "INTEGER", 0, null, 1],
    ["username", "TEXT", 1, null, 0],
    ["password_hash", "TEXT", 1, null, 0],
    ["email", "TEXT", 0, null, 0],
    ["date_registered", "TIMESTAMP", 0, "CURRENT_TIMESTAMP", 0],
    ["last_login", "TIMESTAMP", 0, null, 0],
  ],
  auth_logs: [
    ["id", "INTEGER", 0, null, 1],
    ["request_ip", "TEXT", 1, null, 0],
    ["request_timestamp", "TIMESTAMP", 0, "CURRENT_TIMESTAMP", 0],
    ["user_id", "INTEGER", 0, null, 0],
  ],
};

interface Column {
  name: string;
  type: string;
  notnull: number;
  dflt_value: string | null;
  pk: number;
}

Deno.test("SqliteDatabase.open() makes the three contract tables with exactly their columns", () => {
  const database = openDatabase();
  for (const [table, columns] of Object.entries(TABLES)) {
    const found = database.all<Column>(`PRAGMA table_info(${table})`)
      .map(({ name, type, notnull, dflt_value, pk }) => [name, type, notnull, dflt_value, pk]);
    assert.deepEqual(found, columns, table);
  }
  const [reference] = database.all<{ table: string; from: string; to: string }>(
    "PRAGMA foreign_key_list(auth_logs)",
  );
  assert.deepEqual([reference?.table, reference?.from, reference?.to], ["users", "user_id", "id"]);
  database.close();
});

Deno.test("SqliteDatabase.open() makes names and addresses unique in any ASCII case", () => {
  const database = openDatabase();
  const insert = (name: string, email: string) =>
    database.run(
      "INSERT INTO users (username, password_hash, email) VALUES (?, '', ?)",
      name,
      email,
    );
  insert("alice", "a@example.com");
  assert.throws(() => insert("ALICE", "b@example.com"), /UNIQUE/);
  assert.throws(() => insert("bob", "A@EXAMPLE.com"), /UNIQUE/);
  assert.equal(insert("bob", "b@example.com"), 1);
  database.close();
});

Deno.test("SqliteDatabase.open() sets WAL, full durability and foreign keys", async () => {
  await withDatabase((path) => {
    const database = openDatabase(path);
    const value = (name: string) => Object.values(database.get<object>(`PRAGMA ${name}`)!)[0];
    assert.equal(value("journal_mode"), "wal");
    assert.equal(value("synchronous"), 2);
    assert.equal(value("foreign_keys"), 1);
    assert.ok(value("busy_timeout") <= 500);
    assert.equal(value("user_version"), SCHEMA_VERSION);
    database.close();
    return Promise.resolve();
  });
});

Deno.test("SqliteDatabase.open() makes files that only their owner can read", async () => {
  await withTempDir(async (directory) => {
    const database = openDatabase(`${directory}/db`);
    database.run("INSERT INTO keys (kid, key, exp) VALUES (1, x'00', 1)");
    const names = await Array.fromAsync(Deno.readDir(directory), (entry) => entry.name);
    assert.ok(names.includes("db") && names.includes("db-wal"));
    for (const name of names) {
      assert.equal((await Deno.stat(`${directory}/${name}`)).mode! & 0o777, 0o600, name);
    }
    database.close();
  });
});

Deno.test("SqliteDatabase.open() opens its own database again, with its rows", async () => {
  await withDatabase((path) => {
    const database = openDatabase(path);
    assert.equal(database.all("SELECT kid FROM keys").length, 200);
    database.close();
    return Promise.resolve();
  });
});

Deno.test("SqliteDatabase.open() takes an empty file for a new database, and protects it", async () => {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    await Deno.writeFile(path, new Uint8Array(), { mode: 0o644 });
    const database = openDatabase(path);
    assert.deepEqual(database.all("SELECT kid FROM keys"), []);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    database.close();
  });
});

Deno.test("SqliteDatabase.transaction() keeps nothing when its body throws, and the next one works", () => {
  const database = openDatabase();
  const insert = (kid: number) =>
    database.run("INSERT INTO keys (kid, key, exp) VALUES (?, x'00', 1)", kid);
  const failing = () =>
    database.transaction(() => {
      insert(1);
      throw new RangeError("changed my mind");
    });
  assert.throws(failing, RangeError);
  assert.deepEqual(database.all("SELECT kid FROM keys"), []);
  assert.equal(database.transaction(() => insert(2)), 1);
  assert.equal(database.all("SELECT kid FROM keys").length, 1);
  database.close();
});

Deno.test("copyCheckpointed() copies every row, also those still in the log", async () => {
  await withDatabase(async (path) => {
    const database = openDatabase(path);
    database.run("INSERT INTO users (username, password_hash) VALUES ('in-the-log', 'x')");
    copyCheckpointed(database, { from: path, to: `${path}.copy` });
    database.close();
    const copy = openDatabase(`${path}.copy`);
    assert.equal(copy.all("SELECT kid FROM keys").length, 200);
    const names = copy.all<{ username: string }>("SELECT username FROM users ORDER BY id");
    assert.deepEqual(names.map(({ username }) => username), ["alice", "in-the-log"]);
    copy.close();
    await Promise.resolve();
  });
});

Deno.test("copyCheckpointed() gives up while a reader keeps the log, and copies nothing", async () => {
  await withDatabase(async (path) => {
    const database = openDatabase(path);
    const reader = openDatabase(path);
    reader.run("BEGIN");
    reader.get("SELECT * FROM users");
    database.run("INSERT INTO users (username, password_hash) VALUES ('in-the-log', 'x')");
    const error = await failureOf(() =>
      copyCheckpointed(database, { from: path, to: `${path}.copy` }, 1)
    );
    assert.ok(isDomainError(error, "storage_unavailable") && error.data.fault === "locked");
    await assert.rejects(Deno.stat(`${path}.copy`), Deno.errors.NotFound);
    reader.run("ROLLBACK");
    copyCheckpointed(database, { from: path, to: `${path}.copy` });
    assert.equal((await Deno.stat(`${path}.copy`)).isFile, true);
    reader.close();
    database.close();
  });
});
