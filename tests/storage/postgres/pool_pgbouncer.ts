/** The pool behind a PgBouncer in transaction mode, where every transaction may have another session. */

import assert from "node:assert/strict";
import { PgBouncer } from "../../servers/pgbouncer.ts";
import type { PostgresServer } from "../../servers/postgres.ts";
import { assertFault, clear, fill, IMPATIENCE, PATIENCE, withPool } from "./pools.ts";

const SESSION = "SELECT pg_backend_pid() AS pid, txid_current() AS id";

export function testPgBouncer(server: PostgresServer, url: string): void {
  Deno.test("behind PgBouncer, statements and transactions share few sessions", async () => {
    await using bouncer = await PgBouncer.start(server, { connections: 2 });
    await withPool(bouncer.through(url), { max: 8 }, async (pool) => {
      await clear(pool);
      const sessions = new Set<number>();
      const transact = (n: number) =>
        pool.transaction(async (statements) => {
          const { rows: [begun] } = await statements.query<{ pid: number; id: number }>(SESSION);
          await statements.query("INSERT INTO numbers VALUES ($1)", [n]);
          assert.deepEqual((await statements.query(SESSION)).rows, [begun]);
          sessions.add(begun!.pid);
          return (await statements.query("SHOW statement_timeout")).rows;
        });
      const limits = await Promise.all(Array.from({ length: 40 }, (_, n) => transact(n)));
      assert.ok(sessions.size <= 2, `${sessions.size} sessions`);
      const limit = { statement_timeout: `${PATIENCE * 0.8 / 1000}s` };
      for (const rows of limits) assert.deepEqual(rows, [limit]);
      const sum = "SELECT sum(n)::int AS sum FROM numbers WHERE n < $1";
      const sums = await Promise.all(limits.map(() => pool.read<{ sum: number }>(sum, [99])));
      assert.deepEqual(new Set(sums.map(({ rows }) => rows[0]!.sum)), new Set([780]));
    });
  });

  Deno.test("what goes wrong behind PgBouncer, or with it, costs no call more than its time", async () => {
    await using bouncer = await PgBouncer.start(server);
    await withPool(
      bouncer.through(url),
      { timeout: IMPATIENCE },
      (pool) =>
        withPool(url, {}, async (other) => {
          await clear(other);
          await fill(pool, 2);
          await other.transaction(async (statements) => {
            await statements.query("LOCK TABLE numbers");
            await assertFault("unreachable", () => pool.write("INSERT INTO numbers VALUES (1)"));
          });
          await fill(pool, 2);
          await bouncer.freeze();
          await assertFault("unreachable", () => pool.write("SELECT 1"))
            .finally(() => bouncer.thaw());
          await fill(pool, 2);
        }),
    );
  });
}
