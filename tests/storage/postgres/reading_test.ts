import assert from "node:assert/strict";
import type { PostgresPool, Statements } from "../../../lib/storage/postgres/pool.ts";
import { PostgresStorage } from "../../../lib/storage/postgres/postgres_storage.ts";
import type { Storage } from "../../../lib/storage/storage.ts";
import { NOW, USER, USES } from "../uses.ts";
import { makeDatabase, startServer } from "./databases.ts";

/** Rows in the tables that may have millions: enough for a planner to shun reading all of them. */
const ENTRIES = 100_000;
const USERS = 20_000;

/** What one use of the storage may read of them; none of those asked gives more than 100 rows. */
const FEW = 500;

/** Users, the first of whom has entries among those of the others, a second apart until now. */
const FILL = [
  `INSERT INTO users (username, email, password_hash)
   SELECT CASE n WHEN 1 THEN '${USER.username}' ELSE 'user' || n END,
     CASE n WHEN 1 THEN '${USER.email}' ELSE n || '@example.com' END, '${USER.passwordHash}'
   FROM generate_series(1, ${USERS}) AS n`,
  `INSERT INTO auth_logs (request_ip, request_timestamp, user_id)
   SELECT '::1', to_timestamp(${NOW / 1000} - ${ENTRIES} + n) AT TIME ZONE 'UTC',
     CASE WHEN n % 20000 = 7 THEN 1 WHEN n % 3 > 0 THEN 2 + n % (${USERS} - 1) END
   FROM generate_series(1, ${ENTRIES}) AS n`,
  "ANALYZE",
];

/** What undoes a use, so that the next finds the same. */
class Undone extends Error {}

/** A pool over one open transaction, in which all that is asked happens. */
function poolOver(tx: Statements): PostgresPool {
  const run = (body: (tx: Statements) => Promise<unknown>) => body(tx);
  const pool = { read: tx.query, write: tx.query, transaction: run, snapshot: run };
  return pool as unknown as PostgresPool;
}

/** How many rows of the large tables a use reads, by whatever plan, with all that it sets off. */
async function rowsRead(
  pool: PostgresPool,
  use: (storage: Storage) => Promise<unknown>,
): Promise<number> {
  let read = NaN;
  const undone = pool.transaction(async (tx) => {
    await use(new PostgresStorage(poolOver(tx)));
    const { rows } = await tx.query<{ read: number }>(
      "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint AS read " +
        "FROM pg_stat_xact_user_tables WHERE relname IN ('users', 'auth_logs')",
    );
    read = rows[0]!.read;
    throw new Undone();
  });
  await undone.catch((error) => {
    if (!(error instanceof Undone)) throw error;
  });
  return read;
}

const server = await startServer("what PostgreSQL reads of large tables");
if (server !== undefined) {
  const database = await makeDatabase(server);
  await database.psql(FILL.join("; "));

  for (const [use, run] of Object.entries(USES)) {
    Deno.test(`PostgresStorage reads few rows of large tables for ${use}`, async () => {
      const pool = database.openPool();
      const read = await rowsRead(pool, run).finally(() => pool.close());
      assert.ok(read < FEW, `${read} rows`);
    });
  }

  Deno.test("PostgresStorage reads all rows where nothing else would do, and that is noticed", async () => {
    const pool = database.openPool();
    const everything = (storage: Storage) => storage.countAuthentications(0);
    const read = await rowsRead(pool, everything).finally(() => pool.close());
    assert.ok(read >= ENTRIES, `${read} rows`);
  });
}
