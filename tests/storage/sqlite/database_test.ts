import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CommandError } from "../../../lib/base/errors.ts";
import { SqliteDatabase } from "../../../lib/storage/sqlite/database.ts";
import { SCHEMA_VERSION } from "../../../lib/storage/sqlite/schema.ts";
import { peekKeyEncryption } from "../../../lib/storage/sqlite/meta.ts";
import { failureOf, withTempDir } from "../../support.ts";

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

/** Runs `body` with the path of a database that has rows in every table, and is closed. */
async function withDatabase(body: (path: string) => Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    const database = SqliteDatabase.open(path);
    database.transaction(() => {
      for (let row = 1; row <= 200; row++) {
        database.run("INSERT INTO keys (kid, key, exp) VALUES (?, ?, ?)", row, "k".repeat(500), 1);
      }
      database.run("INSERT INTO users (username, password_hash) VALUES ('alice', 'x')");
      database.run("INSERT INTO meta (name, value) VALUES ('some', x'00')");
    });
    database.close();
    await body(path);
  });
}

/** Asserts that the file is refused with exit code 78, and is as it was afterwards. */
async function assertRefusedUntouched(path: string, reason: RegExp): Promise<void> {
  const before = await Deno.readFile(path);
  for (const look of [() => SqliteDatabase.open(path), () => peekKeyEncryption(path)]) {
    const error = await failureOf(look, String(reason));
    assert.ok(error instanceof CommandError, String(error));
    assert.equal(error.exitCode, 78);
    assert.match(error.message, reason);
    assert.ok(error.message.includes(path));
    assert.ok(error.hints.length > 0);
  }
  assert.deepEqual(await Deno.readFile(path), before);
}

Deno.test("SqliteDatabase.open() makes the three contract tables with exactly their columns", () => {
  const database = SqliteDatabase.open(":memory:");
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
  const database = SqliteDatabase.open(":memory:");
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
    const database = SqliteDatabase.open(path);
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
    const database = SqliteDatabase.open(`${directory}/db`);
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
    const database = SqliteDatabase.open(path);
    assert.equal(database.all("SELECT kid FROM keys").length, 200);
    database.close();
    return Promise.resolve();
  });
});

Deno.test("SqliteDatabase.open() takes an empty file for a new database, and protects it", async () => {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    await Deno.writeFile(path, new Uint8Array(), { mode: 0o644 });
    const database = SqliteDatabase.open(path);
    assert.deepEqual(database.all("SELECT kid FROM keys"), []);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    database.close();
  });
});

Deno.test("SqliteDatabase.open() refuses a database of a newer program", async () => {
  await withDatabase(async (path) => {
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    database.close();
    await assertRefusedUntouched(path, /newer/);
  });
});

Deno.test("SqliteDatabase.open() refuses a database of another program", async () => {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')");
    database.close();
    await assertRefusedUntouched(path, /not made by jwks-server/);
  });
});

Deno.test("SqliteDatabase.open() refuses a file that is no database", async () => {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    for (
      const text of [
        "a short note",
        "not a database ".repeat(1000),
        "SQLite format 3\0".repeat(300),
      ]
    ) {
      await Deno.writeTextFile(path, text);
      await assertRefusedUntouched(path, /corrupt/);
    }
  });
});

Deno.test("SqliteDatabase.open() refuses a database that is truncated or overwritten", async () => {
  await withDatabase(async (path) => {
    const whole = await Deno.readFile(path);
    const half = whole.slice(0, Math.floor(whole.length / 2));
    const overwritten = whole.slice();
    overwritten.fill(0xa5, 4096 * 10, 4096 * 12);
    const noSchema = whole.slice();
    noSchema.fill(0, 100, 4096);
    for (const damaged of [half, overwritten, noSchema]) {
      await Deno.writeFile(path, damaged);
      await assertRefusedUntouched(path, /corrupt/);
    }
  });
});

Deno.test("SqliteDatabase.open() says what to do when there is no such directory", async () => {
  await withTempDir(async (directory) => {
    const error = await failureOf(() => SqliteDatabase.open(`${directory}/missing/db`));
    assert.ok(error instanceof CommandError);
    assert.equal(error.exitCode, 78);
    assert.match(error.hints.join(), /DATABASE/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(directory)), []);
  });
});

Deno.test("SqliteDatabase.transaction() keeps nothing when its body throws, and the next one works", () => {
  const database = SqliteDatabase.open(":memory:");
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
