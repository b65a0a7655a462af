/** Statements on a server that does what it is asked. */

import assert from "node:assert/strict";
import type { Statements, Value } from "../../../lib/storage/postgres/pool.ts";
import { type PostgresServer, ROLE } from "../../servers/postgres.ts";
import { failureOf } from "../../support.ts";
import { withPool } from "./pools.ts";

/** What columns give, beside the SQL that makes them. */
const COLUMNS: Record<string, unknown> = {
  "7::int2": 7,
  "-7::int4": -7,
  "9007199254740991::int8": Number.MAX_SAFE_INTEGER,
  "9007199254740992::int8": "9007199254740992",
  "'-9223372036854775808'::int8": "-9223372036854775808",
  "0.5::float8": 0.5,
  "1.50::numeric": "1.50",
  "true": true,
  "false": false,
  "NULL::int8": null,
  "''::text": "",
  "'\\x00ff5c'::bytea": new Uint8Array([0, 255, 92]),
  "''::bytea": new Uint8Array(),
  "'2030-01-02 03:04:05'::timestamp": "02/01/2030 03:04:05",
  "'{\"a\": 1}'::jsonb": '{"a": 1}',
  "'{1,2}'::int4[]": "{1,2}",
};

const VALUES: [type: string, value: Value][] = [
  ["int8", Number.MAX_SAFE_INTEGER],
  ["text", "é'\\\n☃"],
  ["text", ""],
  ["text", null],
  ["bool", false],
  ["bytea", new Uint8Array([0, 39, 92, 255])],
  ["bytea", new Uint8Array([1, 2, 3, 4]).subarray(1, 3)],
];

export function testStatements(server: PostgresServer, url: string): void {
  Deno.test("columns give numbers that are exact, bytes, and else what the server writes", () =>
    withPool(url, {}, async (pool) => {
      const list = Object.keys(COLUMNS).map((sql, i) => `${sql} AS c${i}`);
      for (const style of ["hex", "escape"]) {
        const { rows } = await pool.transaction(async (statements) => {
          await statements.query(`SET LOCAL bytea_output = ${style}`);
          return await statements.query<Record<string, unknown>>(`SELECT ${list}`);
        });
        assert.deepEqual(Object.values(rows[0]!), Object.values(COLUMNS), style);
      }
    }));

  Deno.test("values arrive as they are", () =>
    withPool(url, {}, async (pool) => {
      for (const [type, value] of VALUES) {
        const sql = `SELECT $1::${type} AS value`;
        const { rows } = await pool.read<{ value: unknown }>(sql, [value]);
        assert.deepEqual(rows, [{ value: value instanceof Uint8Array ? value.slice() : value }]);
      }
      const sql = "SELECT n FROM unnest($1::int8[]) AS n";
      assert.equal((await pool.read(sql, [[1, 2, 3]])).count, 3);
    }));

  Deno.test("count is the number of rows that were given or changed", () =>
    withPool(url, { max: 1 }, async (pool) => {
      await pool.write("CREATE TEMPORARY TABLE counted AS SELECT generate_series(1, 5) AS n");
      assert.equal((await pool.write("UPDATE counted SET n = n WHERE n > $1", [2])).count, 3);
      assert.equal((await pool.read("SELECT FROM counted")).count, 5);
      assert.equal((await pool.write("DROP TABLE counted")).count, 0);
    }));

  Deno.test("a statement is one statement, whatever it is made of", () =>
    withPool(url, {}, async (pool) => {
      const error = await failureOf(() => pool.read("SELECT 1; SELECT 2"));
      assert.equal((error as { code?: unknown }).code, "42601");
    }));

  Deno.test("an error of the statement's own is the driver's, and the connection goes on", () =>
    withPool(url, { max: 1 }, async (pool) => {
      const session = async () => {
        const { rows } = await pool.read<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        return rows[0]!.pid;
      };
      const before = await session();
      const error = await failureOf(() => pool.write("SELECT 1 / $1::int", [0]));
      assert.equal((error as { code?: unknown }).code, "22012");
      assert.equal(await session(), before);
    }));

  Deno.test("a session is of this program's name, in UTF-8, and keeps no statement", () =>
    withPool(url, { max: 1, timeout: 1000 }, async (pool) => {
      const settings = ["application_name", "client_encoding", "statement_timeout"];
      const { rows } = await pool.read<{ name: string; setting: string }>(
        "SELECT name, setting FROM pg_settings WHERE name = ANY ($1) ORDER BY name",
        [settings],
      );
      assert.deepEqual(rows.map(({ setting }) => setting), ["jwks-server", "UTF8", "800"]);
      assert.equal((await pool.read("SELECT FROM pg_prepared_statements")).count, 0);
    }));

  Deno.test("whatever a role's defaults are, the text is UTF-8, a transaction is READ COMMITTED and a snapshot is not", () =>
    withPool(url, { max: 1 }, async (pool) => {
      const sql = "SELECT current_setting('transaction_isolation') AS level";
      await server.psql(`ALTER ROLE ${ROLE} SET default_transaction_isolation = serializable`);
      await server.psql(`ALTER ROLE ${ROLE} SET client_encoding = latin1`);
      try {
        assert.equal(
          (await pool.read<{ text: string }>("SELECT '\u2603é' AS text")).rows[0]!.text,
          "\u2603é",
        );
        const body = async (statements: Statements) => (await statements.query(sql)).rows;
        assert.deepEqual(await pool.transaction(body), [{ level: "read committed" }]);
        assert.deepEqual(await pool.snapshot(body), [{ level: "repeatable read" }]);
      } finally {
        await server.psql(`ALTER ROLE ${ROLE} RESET ALL`);
      }
    }));
}
