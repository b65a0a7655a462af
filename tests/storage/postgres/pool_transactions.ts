/** Statements that take effect together, or not at all. */

import assert from "node:assert/strict";
import { sqlState } from "../../../lib/storage/postgres/faults.ts";
import type { PostgresPool, Statements } from "../../../lib/storage/postgres/pool.ts";
import type { PostgresServer } from "../../servers/postgres.ts";
import { failureOf } from "../../support.ts";
import { assertFault, clear, withPool } from "./pools.ts";

const INSERT = "INSERT INTO numbers VALUES ($1)";

export function testTransactions(server: PostgresServer, url: string): void {
  Deno.test("a transaction is committed with what its body gives, and rolled back when that throws", () =>
    withNumbers(url, async (pool) => {
      const count = await pool.transaction(async (statements) => {
        await statements.query(INSERT, [1]);
        return (await statements.query(INSERT, [2])).count;
      });
      assert.equal(count, 1);
      const reason = new Error("no more");
      const error = await failureOf(() =>
        pool.transaction(async (statements) => {
          await statements.query(INSERT, [3]);
          throw reason;
        })
      );
      assert.equal(error, reason);
      assert.deepEqual(await numbers(pool), [1, 2]);
      assert.equal(pool.idle, pool.size);
    }));

  Deno.test("a transaction whose failed statement was overlooked is no success", () =>
    withNumbers(url, async (pool) => {
      const error = await failureOf(() =>
        pool.transaction(async (statements) => {
          await statements.query(INSERT, [1]);
          await statements.query("SELECT 1 / 0").catch(() => {});
        })
      );
      assert.match(String(error), /after a statement had failed/);
      assert.deepEqual(await numbers(pool), []);
    }));

  Deno.test("a transaction that cannot begin leaves no connection within it", () =>
    withPool(url, { max: 1 }, async (pool) => {
      const asked = "EXECUTE ON FUNCTION pg_current_xact_id()";
      const database = new URL(url).pathname.slice(1);
      await server.psql(`REVOKE ${asked} FROM public`, database);
      try {
        await assertFault("altered", () => pool.transaction(() => Promise.resolve()));
      } finally {
        await server.psql(`GRANT ${asked} TO public`, database);
      }
      assert.equal(pool.idle, 1, "the next call is given the same connection");
      assert.deepEqual((await pool.read("SELECT 1 AS one")).rows, [{ one: 1 }]);
    }));

  Deno.test("a transaction that is over takes no statement", () =>
    withNumbers(url, async (pool) => {
      let kept: Statements | undefined;
      await pool.transaction((statements) => Promise.resolve(kept = statements));
      await assert.rejects(async () => await kept!.query(INSERT, [1]), /over/);
      assert.deepEqual(await numbers(pool), []);
    }));

  Deno.test("transactions that wait for each other are both done, one of them again", () =>
    withNumbers(url, async (pool) => {
      await pool.write("INSERT INTO numbers VALUES (1), (2)");
      let bodies = 0;
      const gate = Promise.withResolvers<void>();
      const add = (first: number, second: number) =>
        pool.transaction(async (statements) => {
          const update = "UPDATE numbers SET n = n + 10 WHERE n % 10 = $1";
          await statements.query(update, [first]);
          if (++bodies === 2) gate.resolve();
          await gate.promise;
          await statements.query(update, [second]);
        });
      await Promise.all([add(1, 2), add(2, 1)]);
      assert.ok(bodies > 2, "neither was in the way of the other");
      assert.deepEqual(await numbers(pool), [21, 22]);
    }));

  Deno.test("a snapshot sees one moment, and changes nothing", () =>
    withNumbers(url, async (pool) => {
      const seen = await pool.snapshot(async (statements) => {
        const before = await numbers(statements);
        await pool.write(INSERT, [1]);
        return [before, await numbers(statements)];
      });
      assert.deepEqual(seen, [[], []]);
      const error = await failureOf(() => pool.snapshot((one) => one.query(INSERT, [2])));
      assert.equal(sqlState(error), "25006");
      assert.deepEqual(await numbers(pool), [1]);
    }));

  Deno.test("a connection to a server that only reads by now is not used again", () =>
    withPool(url, { max: 1 }, async (pool) => {
      const session = async () => (await pool.read("SELECT pg_backend_pid() AS pid")).rows;
      const before = await session();
      await assertFault("read-only", () => pool.snapshot((one) => one.query("CREATE TABLE t ()")));
      assert.notDeepEqual(await session(), before);
    }));
}

/** A pool, and an empty table `numbers`. */
async function withNumbers(
  url: string,
  use: (pool: PostgresPool) => Promise<void>,
): Promise<void> {
  await withPool(url, {}, async (pool) => {
    await clear(pool);
    await use(pool);
  });
}

async function numbers(statements: Statements | PostgresPool): Promise<number[]> {
  const sql = "SELECT n FROM numbers ORDER BY n";
  const { rows } =
    await ("query" in statements
      ? statements.query<{ n: number }>(sql)
      : statements.read<{ n: number }>(sql));
  return rows.map(({ n }) => n);
}
