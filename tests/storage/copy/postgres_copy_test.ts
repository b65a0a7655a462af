import assert from "node:assert/strict";
import fc from "fast-check";
import { DomainError } from "../../../lib/base/errors.ts";
import { copyTables, type OnProgress } from "../../../lib/storage/copy.ts";
import { parsePostgresUrl } from "../../../lib/storage/postgres/location.ts";
import { inLongTransaction } from "../../../lib/storage/postgres/long_transaction.ts";
import * as postgres from "../../../lib/storage/postgres/table_access.ts";
import { readTables } from "../../../lib/storage/sqlite/table_reader.ts";
import { writeTables } from "../../../lib/storage/sqlite/table_target.ts";
import { PAGE_ROWS, TABLES } from "../../../lib/storage/tables.ts";
import { failureOf, withTempDir } from "../../support.ts";
import { makeDatabase, startServer, TestDatabase } from "../postgres/databases.ts";
import { ROLE } from "../../servers/postgres.ts";
import { manyUsers, withFiles } from "./files.ts";
import { dump, given, makeDatabase as makeFile } from "./rows.ts";

const server = await startServer("copies into PostgreSQL and out of it");
if (server !== undefined) register(await makeDatabase(server));

function trusted(database: TestDatabase): postgres.TrustedServer {
  return { location: parsePostgresUrl(database.server.socketUrl(database.name))!, ca: undefined };
}

function register(database: TestDatabase): void {
  const there = trusted(database);

  const copyIn = (from: string, onProgress?: OnProgress) =>
    copyTables(
      (body) => readTables(from, body),
      (body) => postgres.writeTables(there, body),
      onProgress,
    );
  const copyOut = (to: string) =>
    copyTables((body) => postgres.readTables(there, body), (body) => writeTables(to, body));

  /** The refusal of a copy into the database, which is empty afterwards. */
  async function refusedCopy(from: string): Promise<DomainError> {
    const error = await failureOf(() => copyIn(from));
    assert.ok(error instanceof DomainError, String(error));
    assert.equal(await rows(), 0);
    return error;
  }

  async function rows(): Promise<number> {
    const counts = TABLES.map(({ name }) => `(SELECT count(*) FROM ${name})`);
    return Number(await database.psql(`SELECT ${counts.join(" + ")}`));
  }

  Deno.test("a copy in PostgreSQL and back again is the same, whatever stands in it", async () => {
    await fc.assert(
      fc.asyncProperty(given, (contents) =>
        withTempDir(async (directory) => {
          const [from, to] = [`${directory}/from`, `${directory}/to`];
          makeFile(from, contents);
          await database.wipe();
          const copied = await copyIn(from);
          const returned = await copyOut(to);
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
      await copyIn(from);
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
    await withFiles(sql, async ({ from }) => void await copyIn(from));
    const added = "INSERT INTO users (username, password_hash) VALUES ('new', '') RETURNING id";
    assert.equal(await database.psql(added), "16");
    const logged = "INSERT INTO auth_logs (request_ip) VALUES ('') RETURNING id";
    assert.equal(await database.psql(logged), "11");
    const first = "INSERT INTO client_credentials (user_id, type, value, created_at) " +
      "VALUES (16, 'key', '', 0) RETURNING id";
    assert.equal(await database.psql(first), "1");
    await withTempDir(async (directory) => {
      await database.psql("DELETE FROM client_credentials; DELETE FROM auth_logs");
      await copyOut(`${directory}/to`);
      assert.deepEqual(
        dump(`${directory}/to`).sqlite_sequence!.map((row) => Object.values(row as object)),
        [["auth_logs", 11n], ["client_credentials", 1n], ["users", 16n]],
      );
    });
  });

  Deno.test("a database in PostgreSQL that holds rows is refused, and left as it is", async () => {
    await database.wipe();
    await database.psql("INSERT INTO users (username, password_hash) VALUES ('a', ''), ('b', '')");
    await withFiles(manyUsers(1), async ({ from }) => {
      const message = "The target is not empty (rows: users 2)";
      await assert.rejects(copyIn(from), { code: "failed", message });
    });
    assert.equal(await rows(), 2);
  });

  Deno.test("a copy out of PostgreSQL is of one moment, while others write", async () => {
    await database.wipe();
    await withFiles(manyUsers(PAGE_ROWS + 5), async ({ from, to }) => {
      await copyIn(from);
      await copyTables(
        (body) =>
          postgres.readTables(there, async (reader) => {
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

  Deno.test("nobody else writes into PostgreSQL while a copy does", async () => {
    await database.wipe();
    for (const name of ["key_state", ...TABLES.map((table) => table.name)]) {
      await postgres.writeTables(there, async () => {
        const lock = `BEGIN; LOCK TABLE ${name} IN ROW EXCLUSIVE MODE NOWAIT`;
        await assert.rejects(database.psql(lock), /could not obtain lock/);
        assert.equal(await database.psql(`SELECT count(*) >= 0 FROM ${name}`), "t");
      });
    }
  });

  Deno.test("nothing is left in PostgreSQL of a copy that fails at any page", async () => {
    await database.wipe();
    await withFiles(manyUsers(2), async ({ from }) => {
      const stopped = new Error("stopped");
      let failures = 0;
      for (let isOver = false; !isOver;) {
        let left = failures + 1;
        const onProgress = () => {
          if (--left === 0) throw stopped;
        };
        isOver = await copyIn(from, onProgress).then(() => true, (error) => error !== stopped);
        if (!isOver) failures++;
        assert.equal(await rows(), isOver ? 10 : 0);
      }
      assert.equal(failures, 8);
    });
  });

  Deno.test("PostgreSQL keeps nothing when it is not what was written", async () => {
    await database.wipe();
    await database.psql(`CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN new.email = 'x@' || new.username; RETURN new; END $$;
      CREATE TRIGGER spoil BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION spoil()`);
    try {
      await withFiles(manyUsers(2), async ({ from }) => {
        const { message } = await refusedCopy(from);
        assert.equal(message, "What the target keeps is not what was written to it: users");
      });
    } finally {
      await database.psql("DROP FUNCTION spoil CASCADE");
    }
  });

  Deno.test("a time that only PostgreSQL can tell is refused by its row", async () => {
    for (const time of ["infinity", "-infinity", "0044-03-15 BC", "10000-01-01"]) {
      await database.wipe();
      await database.psql(
        `INSERT INTO auth_logs (id, request_ip, request_timestamp) VALUES (5, '', '${time}')`,
      );
      await withTempDir(async (directory) => {
        const error = await failureOf(() => copyOut(`${directory}/to`)) as DomainError;
        assert.equal(
          error.hints[0],
          "auth_logs WHERE id = 5: request_timestamp is no time between the years 1 and 9999",
        );
      });
    }
  });

  Deno.test("a connection that is lost in a copy leaves nothing, and is named", async () => {
    await database.wipe();
    await withFiles(manyUsers(2), async ({ from }) => {
      const copying = copyTables(
        (body) =>
          readTables(from, async (reader) => {
            await database.server.terminateAll();
            return await body(reader);
          }),
        (body) => postgres.writeTables(there, body),
      );
      const { code, message } = await failureOf(() => copying) as DomainError;
      assert.equal(code, "failed");
      assert.match(
        message,
        new RegExp(`^The database ${database.name} of jwks at .* is unreachable: `),
      );
      assert.equal(await rows(), 0);
    });
  });

  Deno.test("of two databases in PostgreSQL, that is named whose connection is lost", async () => {
    await database.wipe();
    await withFiles(manyUsers(2), async ({ from }) => void await copyIn(from));
    const other = await makeDatabase(database.server);
    for (const lost of [database, other]) {
      const end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
        `WHERE datname = '${lost.name}' AND pid <> pg_backend_pid()`;
      const copying = copyTables(
        (body) =>
          postgres.readTables(there, async (reader) => {
            await database.server.psql(end);
            return await body(reader);
          }),
        (body) => postgres.writeTables(trusted(other), body),
      );
      const { message } = await failureOf(() => copying) as DomainError;
      assert.match(message, new RegExp(`^The database ${lost.name} of jwks at`));
    }
  });

  Deno.test("a database in PostgreSQL that sorts text as people do has the same digests", async () => {
    await database.server.psql(
      `CREATE DATABASE people OWNER ${ROLE} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'`,
    );
    const people = trusted(new TestDatabase(database.server, database.server.url("people")));
    const names = ["B", "a", "Z", "_", "é", "z"].map((name) => `('${name}', x'00')`);
    await withFiles(`INSERT INTO meta (name, value) VALUES ${names}`, async ({ from }) => {
      await copyTables(
        (body) => readTables(from, body),
        (body) => postgres.writeTables(people, body),
      );
    });
  });

  Deno.test("a connection that is lost while a copy is kept leaves a doubt, which is said", async () => {
    await database.wipe();
    await database.psql(
      `CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
      $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER leave AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION leave()`,
    );
    try {
      await withFiles(manyUsers(1), async ({ from }) => {
        const { message } = await refusedCopy(from);
        assert.match(
          message,
          /^The connection was lost at the very end: .* holds all of it, or nothing/,
        );
      });
    } finally {
      await database.psql("DROP FUNCTION leave CASCADE");
    }
  });

  Deno.test("PostgreSQL waits for the other storage for longer than for any statement", async () => {
    const names = ["idle_in_transaction_session_timeout", "statement_timeout"];
    const shown: string[] = [];
    await inLongTransaction(
      there.location,
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
      const location = parsePostgresUrl(await database.server.createDatabase())!;
      const empty = { location, ca: undefined };
      const reading = postgres.readTables(empty, () => Promise.resolve());
      await assert.rejects(reading, { code: "database_unusable", message: /has no tables yet$/ });
      await database.wipe();
      for (const [age, isServed] of [[5, true], [60, false]] as const) {
        await database.psql(`DELETE FROM servers; INSERT INTO servers VALUES
          ('s', 'host', '1', 0, '', (now() AT TIME ZONE 'UTC') - interval '${age} seconds')`);
        assert.equal((await copyOut(`${directory}/${age}`)).isServed, isServed);
      }
    });
  });

  Deno.test("a column that others have added in PostgreSQL is told of, and their tables are not", async () => {
    await database.wipe();
    await database.psql("ALTER TABLE users ADD COLUMN phone TEXT; CREATE TABLE notes (id INT)");
    try {
      await withTempDir(async (directory) => {
        assert.deepEqual((await copyOut(`${directory}/to`)).left, ["the column users.phone"]);
      });
    } finally {
      await database.psql("ALTER TABLE users DROP COLUMN phone; DROP TABLE notes");
    }
  });
}
