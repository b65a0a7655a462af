/** Statements that the server keeps because they are given all the time. */

import assert from "node:assert/strict";
import type { Answer, PostgresPool } from "../../../lib/storage/postgres/pool.ts";
import { PgBouncer } from "../../servers/pgbouncer.ts";
import type { PostgresServer } from "../../servers/postgres.ts";
import { withPool } from "./pools.ts";

const FREQUENT = { isFrequent: true };

const KEPT = "SELECT name, statement FROM pg_prepared_statements WHERE statement <> $1";

/** What a session keeps, beside the question itself. */
async function kept(pool: PostgresPool): Promise<string[]> {
  const { rows } = await pool.read<{ statement: string }>(KEPT, [KEPT]);
  return rows.map(({ statement }) => statement);
}

export function testNames(url: string): void {
  const DOUBLE = "SELECT $1::int * 2 AS double";

  const HALF = "SELECT $1::int / 2 AS half";

  Deno.test("statements that are given all the time are kept, and others are not", () =>
    withPool(url, { max: 1 }, async (pool) => {
      for (const n of [2, 4, 6]) {
        assert.deepEqual((await pool.read(DOUBLE, [n], FREQUENT)).rows, [{ double: 2 * n }]);
        assert.deepEqual((await pool.write(HALF, [n], FREQUENT)).rows, [{ half: n / 2 }]);
        await pool.write("SELECT 1");
      }
      assert.deepEqual((await kept(pool)).sort(), [DOUBLE, HALF]);
    }));

  Deno.test("what was kept for tables that have changed is given anew, and nothing is kept any more", () =>
    withPool(url, { max: 1 }, async (pool) => {
      await pool.write("CREATE TEMPORARY TABLE shapes (n integer)");
      const insert = "INSERT INTO shapes VALUES ($1) RETURNING n";
      assert.deepEqual((await pool.write(insert, [1], FREQUENT)).rows, [{ n: 1 }]);
      await pool.write("ALTER TABLE shapes ALTER n TYPE text");
      assert.deepEqual((await pool.write(insert, [2], FREQUENT)).rows, [{ n: "2" }]);
      assert.deepEqual((await pool.read("SELECT n FROM shapes")).rows, [{ n: "1" }, { n: "2" }]);
      await pool.read(DOUBLE, [1], FREQUENT);
      assert.deepEqual(await kept(pool), [insert]);
    }));

  Deno.test("a statement of its own fault is given once, and goes on being kept", () =>
    withPool(url, { max: 1 }, async (pool) => {
      const divide = "SELECT 1 / $1::int AS quotient";
      await assert.rejects(pool.read(divide, [0], FREQUENT), { code: "22012" });
      const unsupported = pool.read("SELECT count(*) FROM pg_class FOR UPDATE");
      await assert.rejects(unsupported, { code: "0A000" });
      await pool.read(DOUBLE, [1], FREQUENT);
      assert.deepEqual((await kept(pool)).sort(), [DOUBLE, divide]);
    }));
}

export function testNamesBehindPgBouncer(server: PostgresServer, url: string): void {
  Deno.test("behind PgBouncer, which lends another session than the one that keeps it, a statement is given", async () => {
    await using bouncer = await PgBouncer.start(server, { connections: 2 });
    const place = bouncer.through(url);
    const asked = "SELECT pg_backend_pid() AS pid";
    const session = ({ rows: [row] }: Answer<{ pid: number }>) => row!.pid;
    await withPool(place, { max: 1 }, (pool) =>
      withPool(place, { max: 1 }, async (other) => {
        const first = session(await pool.read(asked, [], FREQUENT));
        await other.transaction(async (statements) => {
          assert.equal(session(await statements.query(asked)), first);
          assert.notEqual(session(await pool.read(asked, [], FREQUENT)), first);
        });
      }));
  });

  Deno.test("behind PgBouncer, which lends sessions with what others keep there, each is given once", async () => {
    await using bouncer = await PgBouncer.start(server, { connections: 2 });
    const insert = "INSERT INTO given VALUES ($1) RETURNING n";
    await withPool(url, {}, async (pool) => {
      await pool.write("CREATE TABLE given (n integer UNIQUE)");
    });
    const numbers = Array.from({ length: 60 }, (_, n) => n);
    for (const part of [numbers.slice(0, 30), numbers.slice(30)]) {
      await withPool(bouncer.through(url), { max: 8 }, async (pool) => {
        const give = (n: number) => pool.write<{ n: number }>(insert, [n], FREQUENT);
        const given = await Promise.all(part.map(give));
        assert.deepEqual(given.map(({ rows }) => rows[0]!.n), part);
      });
    }
    await withPool(url, {}, async (pool) => {
      const { rows } = await pool.read<{ n: number }>("SELECT n FROM given ORDER BY n");
      assert.deepEqual(rows.map(({ n }) => n), numbers);
    });
  });
}
