/** How often a pool goes to its server. */

import type { PostgresPool, Statements } from "../../../lib/storage/postgres/pool.ts";

type Body = (tx: Statements) => Promise<unknown>;

/** The same pool, and how many round trips it has made; a transaction's begin and end are two. */
export function countStatements(own: PostgresPool) {
  let count = 0;
  const counted = (tx: Statements): Statements => ({
    query: (sql, values) => {
      count++;
      return tx.query(sql, values);
    },
  });
  const transact = (method: "transaction" | "snapshot") => (body: Body) => {
    count += 2;
    return own[method]((tx) => body(counted(tx)));
  };
  const pool = {
    read: counted({ query: (sql, values) => own.read(sql, values) }).query,
    write: counted({ query: (sql, values) => own.write(sql, values) }).query,
    transaction: transact("transaction"),
    snapshot: transact("snapshot"),
    close: () => own.close(),
  } as unknown as PostgresPool;
  return { pool, statements: () => count };
}
