import assert from "node:assert/strict";
import { dirname } from "node:path";
import { isDomainError } from "../../../lib/base/errors.ts";
import { examineDatabase } from "../../../lib/storage/sqlite/examination.ts";
import { checkIntegrity } from "../../../lib/storage/sqlite/integrity.ts";
import { CLIENT_TABLES, SCHEMA_VERSION, TABLES } from "../../../lib/storage/sqlite/schema.ts";
import { makeFifo } from "../../base/fifo.ts";
import { failureOf, openDatabase, openStorage, withTempDir } from "../../support.ts";
import {
  assertRefused,
  assertRefusedUntouched,
  damageTable,
  runElsewhere,
  withDatabase,
} from "./databases.ts";

/** Where a database's header has the number of its free pages (fileformat.html §1.3). */
const FREE_PAGES = 36;
const RECORD = { derivation: new Uint8Array([1]), check: new Uint8Array([2]) };

async function namesBeside(path: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(dirname(path)), ({ name }) => name);
  return names.toSorted();
}

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

Deno.test("examineDatabase() leaves a database as it was, and nothing beside it", async () => {
  await withDatabase(async (path) => {
    const before = await Deno.readFile(path);
    assert.equal(examineDatabase(path).isNew, false);
    assert.deepEqual(await Deno.readFile(path), before);
    assert.deepEqual(await namesBeside(path), ["db"]);
  });
});

Deno.test("examineDatabase() reads the log that a killed process left, and does not write it into the file", async () => {
  await withDatabase(async (path) => {
    const running = openDatabase(path);
    running.run("UPDATE meta SET value = x'77' WHERE name = 'kek_check'");
    const left = `${path}.left/db`;
    await Deno.mkdir(`${path}.left`);
    for (const suffix of ["", "-wal"]) await Deno.copyFile(path + suffix, left + suffix);
    running.close();
    const before = [await Deno.readFile(left), await Deno.readFile(`${left}-wal`)];
    assert.deepEqual([...examineDatabase(left).keyEncryption!.check], [0x77]);
    assert.deepEqual([await Deno.readFile(left), await Deno.readFile(`${left}-wal`)], before);
    const index = "db-shm"; // SQLite's index of the log, which holds no data
    assert.deepEqual((await namesBeside(left)).filter((name) => name !== index), ["db", "db-wal"]);
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
  for (const table of [...TABLES, ...CLIENT_TABLES]) {
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

Deno.test("checkIntegrity() tells what is wrong with the whole database, and changes nothing", async () => {
  await withDatabase(async (path) => {
    assert.equal(checkIntegrity(path), "ok");
    const content = await Deno.readFile(path);
    content[FREE_PAGES + 3] = 5; // of which there are none
    await Deno.writeFile(path, content);
    assert.match(checkIntegrity(path), /should be 5/);
    assert.deepEqual(await Deno.readFile(path), content);
  });
});

Deno.test("checkIntegrity() names the table that cannot even be checked", async () => {
  await withDatabase(async (path) => {
    await damageTable(path, "auth_logs"); // the largest table, which no start looks through
    assert.equal(examineDatabase(path).isNew, false);
    assert.match(checkIntegrity(path), /^auth_logs: .*malformed$/);
  });
});
