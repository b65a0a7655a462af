/** Transactions of which one waits for the other, in the order that a test wants. */

import type { PostgresPool, Statements } from "../../../lib/storage/postgres/pool.ts";
import { eventually } from "../../blackbox/harness.ts";

/** A transaction that has done its work and is not committed. */
export interface Open {
  commit(): Promise<void>;
}

/** Does `work` in a transaction, which stays open. */
export async function begin(
  pool: PostgresPool,
  work: (tx: Statements) => Promise<unknown>,
): Promise<Open> {
  const [done, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const committed = pool.transaction(async (tx) => {
    await work(tx);
    done.resolve();
    await end.promise;
  }, { timeout: 20_000 });
  await Promise.race([done.promise, committed]);
  const commit = () => {
    end.resolve();
    return committed;
  };
  return { commit };
}

/** Waits until somebody on the database waits for a lock. */
export async function untilBlocked(pool: PostgresPool): Promise<void> {
  await eventually("a transaction waits for another", async () => {
    const { count } = await pool.read(
      "SELECT FROM pg_stat_activity " +
        "WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    return count > 0 || undefined;
  }, { every: 5 });
}
