import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { copyTables } from "../../../lib/storage/copy.ts";
import { readTables } from "../../../lib/storage/sqlite/table_reader.ts";
import { writeTables } from "../../../lib/storage/sqlite/table_target.ts";
import { PAGE_ROWS, type Table, type TableReader } from "../../../lib/storage/tables.ts";
import { failureOf, openDatabase, withTempDir } from "../../support.ts";
import { makeOldDatabase, runElsewhere } from "../sqlite/databases.ts";
import { copyFile, manyUsers, namesIn, refusedCopy, SECRET_ROWS, withFiles } from "./files.ts";
import { dump, given, makeDatabase } from "./rows.ts";

Deno.test("copyTables() gives a file with the same rows, whatever stands in them", async () => {
  await fc.assert(
    fc.asyncProperty(given, (contents) =>
      withTempDir(async (directory) => {
        const [from, to] = [`${directory}/from`, `${directory}/to`];
        makeDatabase(from, contents);
        const { tables, left } = await copyFile({ from, to });
        assert.deepEqual(dump(to), dump(from));
        assert.deepEqual(
          Object.fromEntries(tables.map(({ name, rows }) => [name, rows])),
          Object.fromEntries(
            Object.entries(contents.rows).map(([name, { length }]) => [name, length]),
          ),
        );
        assert.deepEqual(left, []);
        assert.deepEqual(await namesIn(directory), ["from", "to"]);
        assert.equal((await Deno.stat(to)).mode! & 0o777, 0o600);
      })),
    { numRuns: 20 },
  );
});

Deno.test("copyTables() copies tables of several pages, and tells how far it is", async () => {
  const count = 2 * PAGE_ROWS + 345;
  await withFiles(manyUsers(count), async (files) => {
    const total = 4 * count + 2;
    const steps: [string, number][] = [];
    await copyFile(files, (what, done, of) => {
      assert.equal(of, total);
      steps.push([what, done]);
    });
    assert.deepEqual(dump(files.to), dump(files.from));
    const ends = Map.groupBy(steps, ([what]) => what);
    assert.deepEqual([...ends].map(([what, found]) => [what, found.at(-1)![1]]), [
      ["copied", total],
      ["compared", total],
    ]);
    assert.equal(ends.get("copied")!.length, 4 * 3);
  });
});

Deno.test("copyTables() fills a file that is there and holds no rows", async () => {
  await withFiles(manyUsers(3), async (files) => {
    for (const makeEmpty of [openEmpty, Deno.writeTextFile]) {
      await makeEmpty(files.to, "");
      await copyFile(files);
      assert.deepEqual(dump(files.to), dump(files.from));
      await Deno.remove(files.to);
    }
  });
});

/** A database that had rows once, and numbered them higher than the source does. */
function openEmpty(path: string): void {
  openDatabase(path).close();
  runElsewhere(
    path,
    `${manyUsers(100)} DELETE FROM auth_logs; DELETE FROM users;
    DELETE FROM tombstones; DELETE FROM meta WHERE name <> 'keys_revision'`,
  );
}

Deno.test("copyTables() refuses a target that holds rows, says which, and changes nothing", async () => {
  await withFiles(manyUsers(3), async (files) => {
    openDatabase(files.to).close();
    runElsewhere(
      files.to,
      "INSERT INTO users (username, password_hash) VALUES ('a', ''), ('b', '')",
    );
    const before = await Deno.readFile(files.to);
    const { code, message } = await refusedCopy(files);
    assert.equal(code, "failed");
    assert.equal(message, "The target is not empty (rows: users 2)");
    assert.deepEqual(await Deno.readFile(files.to), before);
    assert.match((await refusedCopy({ ...files, to: files.from })).message, /auth_logs 3/);
  });
});

Deno.test("copyTables() refuses a file of an older version, one that is none of ours, and what is left of one", async () => {
  await withFiles("", async (files) => {
    makeOldDatabase(files.to, 3);
    assert.match((await refusedCopy(files)).message, /is of an older version/);
    await Deno.writeTextFile(files.to, "something else");
    assert.match((await refusedCopy(files)).message, /is corrupt/);
    await Deno.remove(files.to);
    await Deno.writeTextFile(`${files.to}-wal`, "rows of another");
    assert.match(
      (await refusedCopy(files)).message,
      /There is no .*to, and .*to-wal is left of it/,
    );
  });
});

Deno.test("copyTables() copies a database of any older version, with the tables that it has", async () => {
  for (const version of [1, 2, 3, 4]) {
    await withTempDir(async (directory) => {
      const [from, to] = [`${directory}/from`, `${directory}/to`];
      const rows = "INSERT INTO users (username, password_hash) VALUES ('alice', 'hash');" +
        "INSERT INTO keys (kid, key, exp) VALUES (7, x'07', 8);" +
        SECRET_ROWS;
      makeOldDatabase(from, version, { rows });
      const before = await Deno.readFile(from);
      await copyFile({ from, to });
      assert.deepEqual(await Deno.readFile(from), before);
      openDatabase(from).close(); // which brings it up to date
      const { meta, ...others } = dump(from);
      const counted = version < 2 ? [{ name: "keys_revision", value: 0n }] : [];
      assert.deepEqual(dump(to), { ...others, meta: [...meta!, ...counted] });
    });
  }
});

Deno.test("a number of a row that was deleted is given to none in the copy", async () => {
  const sql = `${manyUsers(5)} DELETE FROM auth_logs; DELETE FROM users WHERE id > 6`;
  await withFiles(sql, async (files) => {
    await copyFile(files);
    using database = new DatabaseSync(files.to);
    database.exec("INSERT INTO users (username, password_hash) VALUES ('new', '')");
    database.exec("INSERT INTO auth_logs (request_ip) VALUES ('')");
    assert.equal(database.prepare("SELECT max(id) AS id FROM users").get()!.id, 16);
    assert.equal(database.prepare("SELECT max(id) AS id FROM auth_logs").get()!.id, 11);
  });
});

Deno.test("copyTables() gives what the source was at one moment, while another writes to it", async () => {
  await withFiles(manyUsers(2 * PAGE_ROWS), async (files) => {
    runElsewhere(files.from, "PRAGMA journal_mode = WAL");
    const expected = dump(files.from);
    using server = new DatabaseSync(files.from);
    let steps = 0;
    await copyFile(files, () => {
      steps++;
      server.exec(
        `INSERT INTO users (id, username, password_hash) VALUES (1e6 - ${steps}, 'u${steps}', '');
          INSERT INTO auth_logs (request_ip, user_id) VALUES ('', 1e6 - ${steps});
          DELETE FROM auth_logs WHERE id % 7 = 0; DELETE FROM tombstones;
          UPDATE users SET password_hash = 'another'`,
      );
    });
    assert.ok(steps > 8);
    assert.deepEqual(dump(files.to), expected);
  });
});

Deno.test("copyTables() leaves nothing of a copy that fails at any page", async () => {
  await withFiles(manyUsers(2), async (files) => {
    let isOver = false;
    for (let step = 1; !isOver; step++) {
      let steps = 0;
      const stopped = new Error("stopped");
      const onProgress = () => {
        if (++steps === step) throw stopped;
      };
      openDatabase(files.to).close();
      const failure = await failureOf(async () => {
        await copyFile(files, onProgress);
        throw new Error("over");
      });
      isOver = failure !== stopped;
      assert.equal(dump(files.to).users!.length, isOver ? 2 : 0);
      await Deno.remove(files.to);
      if (isOver) break;
      steps = 0;
      assert.equal(await failureOf(() => copyFile(files, onProgress)), stopped);
      assert.deepEqual(await namesIn(files.directory), ["from"]);
    }
  });
});

Deno.test("copyTables() keeps nothing when the target is not what was written to it", async () => {
  const tables: Record<string, string> = {
    keys: "UPDATE keys SET exp = 0",
    users: "UPDATE users SET email = NULL",
    auth_logs: "UPDATE auth_logs SET user_id = NULL",
    tombstones: "DELETE FROM tombstones",
    "the number of changes of the keys": "",
  };
  const sql = `${manyUsers(3)} INSERT INTO keys (kid, key, exp) VALUES (1, x'01', 2);
    UPDATE users SET email = username`;
  await withFiles(sql, async (files) => {
    for (const [name, change] of Object.entries(tables)) {
      openDatabase(files.to).close();
      runElsewhere(
        files.to,
        change === ""
          ? `CREATE TRIGGER spoil AFTER UPDATE ON meta WHEN new.name = 'keys_revision' AND
             new.value < 100 BEGIN UPDATE meta SET value = 100 WHERE name = 'keys_revision'; END`
          : `CREATE TRIGGER spoil AFTER INSERT ON ${name} BEGIN ${change}; END`,
      );
      const { message } = await refusedCopy(files);
      assert.equal(message, `What the target keeps is not what was written to it: ${name}`);
      const { auth_logs: logs, users, keys } = dump(files.to);
      assert.deepEqual([logs, users, keys], [[], [], []]);
      await Deno.remove(files.to);
    }
  });
});

/** A reader that passes over the first row of a table, as a damaged index would. */
function skipping(name: string, own: TableReader): TableReader {
  return new Proxy(own, {
    get(target, member) {
      if (member === "pages") {
        return async function* (table: Table) {
          for await (const page of target.pages(table)) {
            yield table.name === name ? { ...page, rows: page.rows.slice(1) } : page;
          }
        };
      }
      const value = Reflect.get(target, member);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

Deno.test("copyTables() refuses a source of which not every row is found", async () => {
  await withFiles(manyUsers(3), async ({ from, to }) => {
    const copying = copyTables(
      (body) => readTables(from, (reader) => body(skipping("tombstones", reader))),
      (body) => writeTables(to, body),
    );
    const message = "The table tombstones has 3 rows, and 2 were found: the database is damaged";
    await assert.rejects(copying, { code: "failed", message });
  });
});

Deno.test("copyTables() says what stands beside what it copies", async () => {
  const sql =
    "CREATE TABLE notes (id INTEGER, text TEXT); ALTER TABLE users ADD COLUMN phone TEXT;" +
    "CREATE TABLE tombs (name_hash BLOB)";
  await withFiles(sql, async (files) => {
    const { left } = await copyFile(files);
    assert.deepEqual(left, ["the column users.phone", "the table notes", "the table tombs"]);
  });
});
