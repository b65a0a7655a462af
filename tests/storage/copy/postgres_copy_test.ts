import assert from "node:assert/strict";
import fc from "fast-check";
import { DomainError } from "../../../lib/base/errors.ts";
import { copyTables } from "../../../lib/storage/copy.ts";
import { parsePostgresUrl } from "../../../lib/storage/postgres/location.ts";
import { inLongTransaction } from "../../../lib/storage/postgres/long_transaction.ts";
import { readTables } from "../../../lib/storage/sqlite/table_reader.ts";
import { writeTables } from "../../../lib/storage/sqlite/table_target.ts";
import { PAGE_ROWS } from "../../../lib/storage/tables.ts";
import { ROLE } from "../../servers/postgres.ts";
import { failureOf, withTempDir } from "../../support.ts";
import { makeDatabase, startServer, TestDatabase } from "../postgres/databases.ts";
import { manyUsers, withFiles } from "./files.ts";
import { PostgresCopies } from "./postgres_copies.ts";
import { testRefusals } from "./postgres_refusals.ts";
import { dump, given, makeDatabase as makeFile } from "./rows.ts";

const server = await startServer("copies into PostgreSQL and out of it");
if (server !== undefined) {
  const copies = new PostgresCopies(await makeDatabase(server));
  testCopies(copies);
  testRefusals(copies);
}

function testCopies(copies: PostgresCopies): void {
  const { database } = copies;

  Deno.test("a copy in PostgreSQL and back again is the same, whatever stands in it", async () => {
    await fc.assert(
      fc.asyncProperty(given, (contents) =>
        withTempDir(async (directory) => {
          const [from, to] = [`${directory}/from`, `${directory}/to`];
          makeFile(from, contents);
          await database.wipe();
          const copied = await copies.copyIn(from);
          const returned = await copies.copyOut(to);
          assert.deepEqual(dump(to), dump(from));
          assert.deepEqual(returned, { ...copied, isServed: false });
        })),
      { numRuns: 6 },
    );
  });

  Deno.test("PostgreSQL holds what SQLite held, as its own statements show it", async () => {
    const sql = `INSERT INTO keys (kid, key, exp) VALUES (1790000000000, x'00ff5c', -5);
      INSERT INTO users VALUES (7, 'Alice', 'h"a,s{h}\\', NULL, '0001-01-01 00:00:00', '2026-02-28 23:59:59');
      INSERT INTO auth_logs VALUES (9, '2001:db8::1', '2026-11-22 10:00:00', 7), (10, 'NULL', NULL, NULL);
      INSERT INTO client_credentials VALUES (3, 7, 'key', 'k', '{}', 1790000000001, NULL, 9223372036854775807)`;
    await database.wipe();
    await withFiles(sql, async ({ from }) => {
      await copies.copyIn(from);
    });
    const shown = async (table: string) =>
      JSON.parse(await database.psql(`SELECT json_agg(t ORDER BY 1) FROM ${table} t`));
    const keys = await database.psql("SELECT kid, encode(key, 'hex'), exp FROM keys");
    assert.equal(keys, "1790000000000|00ff5c|-5");
    assert.deepEqual(await shown("users"), [{
      id: 7,
      username: "Alice",
      password_hash: 'h"a,s{h}\\',
      email: null,
      date_registered: "0001-01-01T00:00:00",
      last_login: "2026-02-28T23:59:59",
    }]);
    assert.deepEqual(await shown("auth_logs"), [
      { id: 9, request_ip: "2001:db8::1", request_timestamp: "2026-11-22T10:00:00", user_id: 7 },
      { id: 10, request_ip: "NULL", request_timestamp: null, user_id: null },
    ]);
    assert.equal(
      await database.psql(
        "SELECT created_at, valid_until IS NULL, last_used FROM client_credentials",
      ),
      "1790000000001|t|9223372036854775807",
    );
    // Both values of the secret, and a key.
    assert.equal(await database.psql("SELECT version FROM key_state"), "3");
  });

  Deno.test("a number of a row that was deleted is given to none in PostgreSQL", async () => {
    const sql = `${manyUsers(5)} DELETE FROM auth_logs; DELETE FROM users WHERE id > 6`;
    await database.wipe();
    await withFiles(sql, async ({ from }) => void await copies.copyIn(from));
    const added = "INSERT INTO users (username, password_hash) VALUES ('new', '') RETURNING id";
    assert.equal(await database.psql(added), "16");
    const logged = "INSERT INTO auth_logs (request_ip) VALUES ('') RETURNING id";
    assert.equal(await database.psql(logged), "11");
    const first = "INSERT INTO client_credentials (user_id, type, value, created_at) " +
      "VALUES (16, 'key', '', 0) RETURNING id";
    assert.equal(await database.psql(first), "1");
    await withTempDir(async (directory) => {
      await database.psql("DELETE FROM client_credentials; DELETE FROM auth_logs");
      await copies.copyOut(`${directory}/to`);
      assert.deepEqual(
        dump(`${directory}/to`).sqlite_sequence!.map((row) => Object.values(row as object)),
        [["auth_logs", 11n], ["client_credentials", 1n], ["users", 16n]],
      );
    });
  });

  Deno.test("a copy out of PostgreSQL is of one moment, while others write", async () => {
    await database.wipe();
    await withFiles(manyUsers(PAGE_ROWS + 5), async ({ from, to }) => {
      await copies.copyIn(from);
      await copyTables(
        (body) =>
          copies.read(async (reader) => {
            await database.psql(
              "DELETE FROM auth_logs WHERE id % 3 = 0; UPDATE users SET password_hash = 'another';" +
                "INSERT INTO auth_logs (request_ip) VALUES (''); DELETE FROM tombstones;" +
                "INSERT INTO users (username, password_hash) VALUES ('new', '')",
            );
            return await body(reader);
          }),
        (body) => writeTables(to, body),
      );
      const { sqlite_sequence: _, ...expected } = dump(from);
      const { sqlite_sequence: numbers, ...found } = dump(to);
      assert.deepEqual(found, expected);
      assert.equal(numbers!.length, 2); // they are none of the snapshot: greater ones do no harm
    });
  });

  Deno.test("a time that only PostgreSQL can tell is refused by its row", async () => {
    for (const time of ["infinity", "-infinity", "0044-03-15 BC", "10000-01-01"]) {
      await database.wipe();
      await database.psql(
        `INSERT INTO auth_logs (id, request_ip, request_timestamp) VALUES (5, '', '${time}')`,
      );
      await withTempDir(async (directory) => {
        const error = await failureOf(() => copies.copyOut(`${directory}/to`)) as DomainError;
        assert.equal(
          error.hints[0],
          "auth_logs WHERE id = 5: request_timestamp is no time between the years 1 and 9999",
        );
      });
    }
  });

  Deno.test("a database in PostgreSQL that sorts text as people do has the same digests", async () => {
    await database.server.psql(
      `CREATE DATABASE people OWNER ${ROLE} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'`,
    );
    const people = new TestDatabase(database.server, database.server.url("people"));
    const names = ["B", "a", "Z", "_", "é", "z"].map((name) => `('${name}', x'00')`);
    await withFiles(`INSERT INTO meta (name, value) VALUES ${names}`, async ({ from }) => {
      await copyTables(
        (body) => readTables(from, body),
        new PostgresCopies(people).write,
      );
    });
  });

  Deno.test("PostgreSQL waits for the other storage for longer than for any statement", async () => {
    const names = ["idle_in_transaction_session_timeout", "statement_timeout"];
    const shown: string[] = [];
    await inLongTransaction(
      parsePostgresUrl(database.server.socketUrl(database.name))!,
      { isolation: "READ COMMITTED", ca: undefined },
      async (statements) => {
        for (const name of names) {
          const { rows } = await statements.query<{ value: string }>(
            "SELECT current_setting($1) AS value",
            [name],
          );
          shown.push(rows[0]!.value);
        }
      },
    );
    assert.deepEqual(shown, ["10min", "48s"]);
  });

  Deno.test("a database without tables is no source, and a server that ran of late is told of", async () => {
    await withTempDir(async (directory) => {
      const url = await database.server.createDatabase();
      const empty = new PostgresCopies(new TestDatabase(database.server, url));
      const reading = empty.read(() => Promise.resolve());
      await assert.rejects(reading, { code: "database_unusable", message: /has no tables yet$/ });
      await database.wipe();
      for (const [age, isServed] of [[5, true], [60, false]] as const) {
        await database.psql(`DELETE FROM servers; INSERT INTO servers VALUES
          ('s', 'host', '1', 0, '', (now() AT TIME ZONE 'UTC') - interval '${age} seconds')`);
        assert.equal((await copies.copyOut(`${directory}/${age}`)).isServed, isServed);
      }
    });
  });

  Deno.test("a column that others have added in PostgreSQL is told of, and their tables are not", async () => {
    await database.wipe();
    await database.psql("ALTER TABLE users ADD COLUMN phone TEXT; CREATE TABLE notes (id INT)");
    try {
      await withTempDir(async (directory) => {
        assert.deepEqual((await copies.copyOut(`${directory}/to`)).left, [
          "the column users.phone",
        ]);
      });
    } finally {
      await database.psql("ALTER TABLE users DROP COLUMN phone; DROP TABLE notes");
    }
  });
}
