import assert from "node:assert/strict";
import { isDomainError } from "../../../lib/base/errors.ts";
import { examinePostgres } from "../../../lib/storage/postgres/examination.ts";
import { parsePostgresUrl } from "../../../lib/storage/postgres/location.ts";
import { migrate, prepareSchema } from "../../../lib/storage/postgres/migration.ts";
import { PostgresPool } from "../../../lib/storage/postgres/pool.ts";
import { PostgresStorage } from "../../../lib/storage/postgres/postgres_storage.ts";
import { SCHEMA_VERSION, TABLES } from "../../../lib/storage/postgres/schema.ts";
import { readSchemaState } from "../../../lib/storage/postgres/schema_state.ts";
import type { PostgresServer } from "../../servers/postgres.ts";
import { failureOf } from "../../support.ts";
import { startServer, TestDatabase } from "./databases.ts";

const server = await startServer("the migration of PostgreSQL");
if (server !== undefined) register(server);

/** Asserts that a pool's database is refused by every look at it, and gives the error of the last. */
async function assertRefused(pool: PostgresPool, reason: RegExp, hint: RegExp): Promise<void> {
  for (const look of [migrate, examinePostgres, startOn]) {
    const error = await failureOf(() => look(pool), String(reason));
    assert.ok(isDomainError(error, "database_unusable"), String(error));
    assert.match(error.message, reason);
    assert.match(error.hints.join("; "), hint);
  }
}

function startOn(pool: PostgresPool) {
  return prepareSchema(pool, { mayMigrate: true });
}

function register(server: PostgresServer): void {
  /** Runs `body` with an empty database, and a pool of it. */
  function testEmpty(
    property: string,
    body: (database: TestDatabase, pool: PostgresPool) => Promise<void>,
  ): void {
    Deno.test(property, async () => {
      const database = new TestDatabase(server, await server.createDatabase());
      const pool = database.openPool();
      await body(database, pool).finally(() => pool.close());
    });
  }

  testEmpty(
    "migrate() makes the tables once, whoever asks and how often",
    async (database, pool) => {
      assert.deepEqual(await migrate(pool), { from: 0, to: SCHEMA_VERSION });
      const made = await schemaOf(database);
      assert.deepEqual(await migrate(pool), { from: SCHEMA_VERSION, to: SCHEMA_VERSION });
      assert.deepEqual(await schemaOf(database), made);
      for (const table of TABLES) assert.match(made, new RegExp(`^${table}\\|`, "m"));
    },
  );

  testEmpty("migrate() by four at once on an empty database is done by one", async (database) => {
    const pools = Array.from({ length: 4 }, () => database.openPool());
    try {
      const done = await Promise.all(pools.map(migrate));
      assert.deepEqual(done.map(({ to }) => to), Array(4).fill(SCHEMA_VERSION));
      assert.equal(done.filter(({ from }) => from === 0).length, 1);
      assert.equal(await database.psql("SELECT count(*) FROM schema_migrations"), "1");
      assert.equal(await database.psql("SELECT version FROM key_state"), "0");
    } finally {
      await Promise.all(pools.map((pool) => pool.close()));
    }
  });

  testEmpty(
    "a look finds all tables that another program has made since the last look, or none",
    async (database, pool) => {
      const other = database.openPool();
      const versions = await pool.transaction(async (statements) => {
        const { version: before } = await readSchemaState(statements);
        await migrate(other);
        const { version: after } = await readSchemaState(statements);
        return [before, after];
      }).finally(() => other.close());
      assert.deepEqual(versions, [0, SCHEMA_VERSION]);
    },
  );

  testEmpty("migrate() makes the contract's columns, in their order", async (database, pool) => {
    await migrate(pool);
    const columns = async (table: string) =>
      (await database.psql(
        `SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute
         WHERE attrelid = '${table}'::regclass AND attnum > 0 ORDER BY attnum`,
      )).split("\n");
    const time = "timestamp(0) without time zone";
    assert.deepEqual(await columns("keys"), ["kid bigint", "key bytea", "exp bigint"]);
    assert.deepEqual(await columns("users"), [
      "id bigint",
      "username text",
      "password_hash text",
      "email text",
      `date_registered ${time}`,
      `last_login ${time}`,
    ]);
    assert.deepEqual(await columns("auth_logs"), [
      "id bigint",
      "request_ip text",
      `request_timestamp ${time}`,
      "user_id bigint",
    ]);
    assert.deepEqual(await columns("meta"), ["name text", "value bytea"]);
  });

  testEmpty("migrate() leaves nothing behind when a step fails", async (database, pool) => {
    await database.psql(
      "CREATE FUNCTION count_key_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
    );
    const before = await schemaOf(database);
    await assert.rejects(migrate(pool), { code: "database_unusable" });
    assert.equal(await schemaOf(database), before);
    await database.psql("DROP FUNCTION count_key_change()");
    assert.deepEqual(await migrate(pool), { from: 0, to: SCHEMA_VERSION });
  });

  testEmpty(
    "prepareSchema() migrates what is older, and nothing when it may not",
    async (database, pool) => {
      const error = await failureOf(() => prepareSchema(pool, { mayMigrate: false }));
      assert.ok(isDomainError(error, "database_unusable"), String(error));
      assert.match(error.message, /has no tables yet/);
      assert.match(error.hints.join(), /jwks-server migrate/);
      assert.equal(await schemaOf(database), "");
      assert.deepEqual(await startOn(pool), { from: 0, to: SCHEMA_VERSION });
      const current = { from: SCHEMA_VERSION, to: SCHEMA_VERSION };
      assert.deepEqual(await prepareSchema(pool, { mayMigrate: false }), current);
    },
  );

  testEmpty(
    "prepareSchema() goes on with what the next release has migrated, and with nothing newer",
    async (database, pool) => {
      await migrate(pool);
      const next = SCHEMA_VERSION + 1;
      await database.psql(`INSERT INTO schema_migrations (version) VALUES (${next})`);
      assert.deepEqual(await startOn(pool), { from: next, to: next });
      assert.equal((await examinePostgres(pool)).version, next);
      await database.psql(`INSERT INTO schema_migrations (version) VALUES (${next + 1})`);
      await assertRefused(pool, new RegExp(`schema version ${next + 1}`), /newer jwks-server/);
    },
  );

  testEmpty(
    "migrate() makes nothing where what it is to make has its name taken",
    async (database, pool) => {
      for (
        const [made, gone, reason] of [
          [
            "FUNCTION count_key_change() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "FUNCTION",
            /count_key/,
          ],
          ["VIEW users_email_folded AS SELECT 1", "VIEW", /users_email_folded/],
          ["TYPE used_ids AS (one int)", "TYPE", /used_ids/],
        ] as const
      ) {
        await database.psql(`CREATE ${made}`);
        const error = await failureOf(() => migrate(pool), made);
        assert.ok(isDomainError(error, "database_unusable"), String(error));
        assert.match(error.message, /did not make: /);
        assert.match(error.message, reason);
        await database.psql(`DROP ${gone} ${made.split(" ")[1]}`);
      }
      assert.equal((await migrate(pool)).from, 0);
    },
  );

  testEmpty(
    "a database with another program's tables is refused, and left as it is",
    async (database, pool) => {
      await database.psql("CREATE TABLE users (id INTEGER, name TEXT); CREATE TABLE keys (k TEXT)");
      const before = await schemaOf(database);
      await assertRefused(pool, /did not make: keys, users$/, /createdb/);
      await database.psql("CREATE TABLE schema_migrations (version VARCHAR PRIMARY KEY)");
      await database.psql("INSERT INTO schema_migrations VALUES ('20300101')");
      await assertRefused(pool, /did not make: keys, users, schema_migrations$/, /createdb/);
      await database.psql("DROP TABLE schema_migrations");
      assert.equal(await schemaOf(database), before);
    },
  );

  testEmpty(
    "a database in which no migration of this program's is named is refused",
    async (database, pool) => {
      await database.psql("CREATE TABLE schema_migrations (version VARCHAR PRIMARY KEY)");
      await assertRefused(pool, /did not make: schema_migrations$/, /createdb/);
      await database.psql("DROP TABLE schema_migrations");
      await migrate(pool);
      await database.psql("DELETE FROM schema_migrations");
      await assertRefused(pool, /did not make: keys, users, .*schema_migrations$/, /createdb/);
    },
  );

  testEmpty("a database that lacks a table is refused", async (database, pool) => {
    await migrate(pool);
    await database.psql("DROP TABLE tombstones, client_policies");
    const reason = /lacks the table client_policies and the table tombstones/;
    await assertRefused(pool, reason, /backup/);
  });

  testEmpty("a database of another encoding is refused", async (database, pool) => {
    const name = `${database.name}_ascii`;
    await server.psql(
      `CREATE DATABASE ${name} OWNER jwks ENCODING SQL_ASCII LOCALE 'C' TEMPLATE template0`,
    );
    const other = new PostgresPool(parsePostgresUrl(server.socketUrl(name))!);
    await assertRefused(other, /encoding SQL_ASCII/, /UTF8/).finally(() => other.close());
    assert.deepEqual(await migrate(pool), { from: 0, to: SCHEMA_VERSION });
  });

  testEmpty(
    "a role that may make no tables is told what its owner has to grant",
    async (database, pool) => {
      await database.psql(`ALTER DATABASE ${database.name} OWNER TO postgres`);
      const refused = async (reason: RegExp, hint: RegExp) => {
        const error = await failureOf(() => startOn(pool));
        assert.ok(isDomainError(error, "database_unusable"), String(error));
        assert.match(error.message, reason);
        assert.match(error.hints[0]!, hint);
        assert.match(error.hints[1]!, /jwks-server migrate/);
      };
      const grant = /GRANT CREATE ON SCHEMA public TO jwks;/;
      await refused(/role jwks may not make tables in the schema public of/, grant);
      await database.psql("REVOKE USAGE ON SCHEMA public FROM PUBLIC");
      await refused(/role jwks may not make tables of/, /CREATE SCHEMA jwks AUTHORIZATION jwks;/);
      await database.psql("CREATE SCHEMA jwks AUTHORIZATION jwks;");
      assert.deepEqual(await startOn(pool), { from: 0, to: SCHEMA_VERSION });
    },
  );

  testEmpty(
    "a role that may not use the tables is told what to grant, which is enough",
    async (database, pool) => {
      await database.psql(`ALTER DATABASE ${database.name} OWNER TO postgres`);
      const url = server.socketUrl(database.name).replace("user=jwks", "user=postgres");
      const owner = new PostgresPool(parsePostgresUrl(url)!);
      await migrate(owner).finally(() => owner.close());
      await database.psql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO jwks");
      const error = await failureOf(() => examinePostgres(pool));
      assert.ok(isDomainError(error, "database_unusable"), String(error));
      assert.match(error.message, /role jwks may not read and write every table/);
      const [hint] = error.hints;
      await database.psql(/GRANT .*;/.exec(hint!)![0]);
      await prepareSchema(pool, { mayMigrate: false });
      const storage = new PostgresStorage(pool);
      const user = { username: "alice", email: "a@b.c", passwordHash: "x", at: 0 };
      assert.ok(await storage.createUser(user) !== undefined);
      const change = { put: [{ id: 1, key: new Uint8Array([1]), exp: 1 }], remove: [] };
      assert.equal(await storage.changeKeys(await storage.readKeys(), change), true);
    },
  );
}

/** Everything in the schema of a database, a line for each. */
async function schemaOf(database: TestDatabase): Promise<string> {
  return await database.psql(
    `SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace
     UNION ALL SELECT tgname, 't' FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1`,
  );
}

Deno.test("a PostgreSQL before 13 is refused, whatever is in it", async () => {
  const found = { server: 120_022, serverVersion: "12.22", encoding: "UTF8", database: "db" };
  const statements = { query: () => Promise.resolve({ rows: [found], count: 1 }) };
  const pool = {
    snapshot: (body: (of: typeof statements) => unknown) => body(statements),
  } as unknown as PostgresPool;
  const error = await failureOf(() => examinePostgres(pool));
  assert.ok(isDomainError(error, "database_unusable"), String(error));
  assert.match(error.message, /PostgreSQL 12\.22, and 13 or newer/);
});
