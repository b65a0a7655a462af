/** What ends a call that would wait: a lock, or calls that were there before it. */

import assert from "node:assert/strict";
import type { PostgresServer } from "../../servers/postgres.ts";
import { assertFault, clear, fill, IMPATIENCE, untilWaiting, withPool } from "./pools.ts";

const INSERT = "INSERT INTO numbers VALUES (1)";
const SESSION = "SELECT pg_backend_pid() AS pid";
const LOCK = "LOCK TABLE numbers";

export function testLimits(server: PostgresServer, url: string): void {
  Deno.test("a statement that waits for a lock is ended by the server, which has done nothing", () =>
    withPool(url, {}, (patient) =>
      withPool(url, { timeout: 1000, max: 2 }, async (pool) => {
        await clear(patient);
        await fill(pool, 2);
        await patient.transaction(async (statements) => {
          await statements.query(LOCK);
          await Promise.all([
            assertFault("locked", () => pool.write(INSERT)),
            assertFault("locked", () => pool.transaction((one) => one.query(INSERT))),
          ]);
          assert.equal(pool.idle, 2, "the connections were of no use any more");
        });
        assert.equal((await pool.read("SELECT FROM numbers")).count, 0);
      })));

  Deno.test("a call that waits for others ends in time, and its connection is for those after it", () =>
    withPool(url, { max: 1 }, async (pool) => {
      await fill(pool, 1);
      const gate = Promise.withResolvers<void>();
      const first = pool.transaction(() => gate.promise);
      const late = () => pool.transaction(() => Promise.resolve(), { timeout: IMPATIENCE });
      await assertFault("unreachable", late);
      gate.resolve();
      await first;
      assert.equal((await pool.read("SELECT 1")).count, 1);
      assert.deepEqual([pool.size, pool.idle, pool.waiting], [1, 1, 0]);
    }));

  Deno.test("a call that came late for others before it is no reason to trust no connection", () =>
    withPool(url, { max: 2 }, async (pool) => {
      await fill(pool, 2);
      const gates = [0, 1].map(() => Promise.withResolvers<void>());
      const [first, second] = gates.map(({ promise }) =>
        pool.transaction(async (statements) => {
          await promise;
          return (await statements.query(SESSION)).rows;
        })
      );
      const late = () => pool.transaction(() => new Promise(() => {}), { timeout: 1000 });
      setTimeout(() => gates[0]!.resolve(), 800);
      await assertFault("unreachable", late);
      await first;
      gates[1]!.resolve();
      const session = await second;
      assert.deepEqual((await pool.read(SESSION)).rows, session);
    }));

  Deno.test("a body that does not end is left, and its transaction rolled back", () =>
    withPool(url, {}, async (pool) => {
      await clear(pool);
      await assertFault("unreachable", () =>
        pool.transaction(async (statements) => {
          await statements.query(INSERT);
          await new Promise(() => {});
        }, { timeout: IMPATIENCE }));
      await pool.transaction((statements) => statements.query(LOCK)); // after the other's end
      assert.equal((await pool.read("SELECT FROM numbers")).count, 0);
    }));

  Deno.test("only so many calls wait; those beyond are refused at once", () =>
    withPool(url, { max: 1 }, async (pool) => {
      const gate = Promise.withResolvers<void>();
      const first = pool.transaction(() => gate.promise);
      const calls = Array.from({ length: 501 }, () => pool.read("SELECT 1"));
      assert.equal(pool.waiting, 500);
      await assertFault("unreachable", () => calls.at(-1)!);
      gate.resolve();
      await Promise.all([first, ...calls.slice(0, -1)]);
    }));

  Deno.test("close() waits for what is going on, and nothing is asked of a closed pool", () =>
    withPool(url, {}, async (other) => {
      await clear(other);
      await withPool(url, { max: 1 }, async (pool) => {
        const [insert, closed] = await other.transaction(async (statements) => {
          await statements.query(LOCK);
          const insert = pool.write(INSERT);
          await untilWaiting(server, 1);
          return [insert, pool.close()] as const;
        });
        await closed;
        assert.equal((await insert).count, 1);
        await assertFault("unreachable", () => pool.read("SELECT 1"));
      });
    }));
}
