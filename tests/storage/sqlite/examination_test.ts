import assert from "node:assert/strict";
import { isDomainError } from "../../../lib/base/errors.ts";
import { checkIntegrity, examineDatabase } from "../../../lib/storage/sqlite/examination.ts";
import { SCHEMA_VERSION, TABLES } from "../../../lib/storage/sqlite/schema.ts";
import { makeFifo } from "../../base/fifo.ts";
import { failureOf, openDatabase, openStorage, withTempDir } from "../../support.ts";
import { assertRefused, assertRefusedUntouched, runElsewhere, withDatabase } from "./databases.ts";

const RECORD = { derivation: new Uint8Array([1]), check: new Uint8Array([2]) };

Deno.test("examineDatabase() sees the record of a database, and nothing in one that is not there", async () => {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    assert.deepEqual(examineDatabase(path), { path, isNew: true, keyEncryption: undefined });
    assert.deepEqual(await Array.fromAsync(Deno.readDir(directory)), []);
    const storage = openStorage(path);
    assert.deepEqual(examineDatabase(path), { path, isNew: false, keyEncryption: undefined });
    await storage.createKeyEncryption(RECORD);
    await storage.close();
    const before = await Deno.readFile(path);
    assert.deepEqual([...examineDatabase(path).keyEncryption!.derivation], [...RECORD.derivation]);
    assert.deepEqual(await Deno.readFile(path), before);
  });
});

Deno.test("examineDatabase() leaves everything as it was, with and without a write-ahead log", async () => {
  await withDatabase(async (path) => {
    const names = async () =>
      (await Array.fromAsync(Deno.readDir(path.slice(0, -"/db".length)), ({ name }) => name))
        .toSorted();
    examineDatabase(path);
    assert.deepEqual(await names(), ["db"]);
    const database = openDatabase(path);
    database.run("DELETE FROM keys WHERE kid = 1");
    const log = await Deno.readFile(`${path}-wal`);
    const file = await Deno.readFile(path);
    assert.ok(log.length > 0);
    assert.equal(examineDatabase(path).isNew, false);
    assert.deepEqual(await Deno.readFile(`${path}-wal`), log);
    assert.deepEqual(await Deno.readFile(path), file);
    database.close();
  });
});

Deno.test("examineDatabase() refuses a directory, a FIFO and a socket, and leaves each alone", async () => {
  await withTempDir(async (directory) => {
    const at = (name: string) => `${directory}/${name}`;
    await Deno.mkdir(at("directory"));
    await makeFifo(at("fifo"));
    using _socket = Deno.listen({ transport: "unix", path: at("socket") });
    const kinds = { directory: /is a directory/, fifo: /is a FIFO/, socket: /is a socket/ };
    for (const [name, reason] of Object.entries(kinds)) {
      await Deno.chmod(at(name), 0o754);
      await Deno.symlink(at(name), at(`link to ${name}`));
      const before = await Deno.stat(at(name));
      await assertRefused(at(name), reason);
      await assertRefused(at(`link to ${name}`), reason);
      assert.deepEqual(await Deno.stat(at(name)), before);
    }
    const names = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
    assert.equal(names.length, 6);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(at("directory"))), []);
  });
});

Deno.test("examineDatabase() refuses a device, and leaves its mode alone", async () => {
  const before = await Deno.stat("/dev/null");
  const error = await failureOf(() => examineDatabase("/dev/null")); // before anything opens it
  assert.ok(isDomainError(error, "database_unusable"), String(error));
  await assertRefused("/dev/null", /is a device/);
  assert.equal((await Deno.stat("/dev/null")).mode, before.mode);
});

Deno.test("examineDatabase() refuses a database of a newer program", async () => {
  await withDatabase(async (path) => {
    runElsewhere(path, `PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    await assertRefusedUntouched(path, /newer/);
  });
});

Deno.test("examineDatabase() refuses a database of another program", async () => {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    runElsewhere(path, "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')");
    await assertRefusedUntouched(path, /not made by jwks-server/);
  });
});

Deno.test("examineDatabase() refuses a file that is no database", async () => {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    for (
      const text of [
        "a",
        "\0",
        "a short note",
        "SQLite format 3\0".padEnd(511, "\0"),
        "not a database ".repeat(1000),
        "SQLite format 3\0".repeat(300),
      ]
    ) {
      await Deno.writeTextFile(path, text);
      await assertRefusedUntouched(path, /corrupt/);
    }
  });
});

Deno.test("examineDatabase() refuses a database that is truncated or overwritten", async () => {
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

Deno.test("examineDatabase() says what to do when there is no such directory", async () => {
  await withTempDir(async (directory) => {
    const error = await failureOf(() => openDatabase(`${directory}/missing/db`));
    assert.ok(isDomainError(error, "database_unusable"), String(error));
    assert.match(error.hints.join(), /DATABASE/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(directory)), []);
  });
});

Deno.test("examineDatabase() names each table that a database lacks", async () => {
  for (const table of TABLES) {
    await withDatabase(async (path) => {
      runElsewhere(path, `PRAGMA foreign_keys = OFF; DROP TABLE ${table}`);
      await assertRefusedUntouched(path, new RegExp(`lacks the table ${table}$`));
    });
  }
  await withDatabase(async (path) => {
    runElsewhere(path, "DROP TABLE keys; DROP TABLE auth_logs");
    await assertRefusedUntouched(path, /lacks the table keys and the table auth_logs$/);
  });
});

Deno.test("checkIntegrity() reads the whole database, and tells what is wrong with it", async () => {
  await withDatabase(async (path) => {
    assert.equal(checkIntegrity(path), "ok");
    const damaged = await Deno.readFile(path);
    damaged.fill(0xa5, 4096 * 10, 4096 * 12);
    await Deno.writeFile(path, damaged);
    assert.notEqual(checkIntegrity(path), "ok");
    assert.deepEqual(await Deno.readFile(path), damaged);
  });
});
