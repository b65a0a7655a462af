/** Statements that take effect together, or not at all. */

import { type Committing, CommitUnknown, isLost, sqlState } from "./faults.ts";
import type { Answer, Lease } from "./lease.ts";
import type { Value } from "./values.ts";

/** What runs statements, one after the other. */
export interface Statements {
  query<Row>(sql: string, values?: readonly Value[]): Promise<Answer<Row>>;
}

/** What a transaction needs of a connection. */
export type Transactor = Pick<Lease, "query" | "command" | "wait">;

/** How a transaction sees what others do. */
export type Isolation = "READ COMMITTED" | "REPEATABLE READ READ ONLY";

/** What gives the transaction's number, by which can be asked what became of it. */
const NUMBER: Record<Isolation, string[]> = {
  "READ COMMITTED": ["SELECT pg_current_xact_id()::text AS number"],
  "REPEATABLE READ READ ONLY": [],
};

/**
 * Runs `body` in a transaction, which is rolled back when it throws. In it the server waits no longer
 * than `limit` milliseconds: not for the end of a statement, which may wait for a lock, nor for this
 * program, which may have been stopped while it holds a lock that others wait for.
 */
export async function inTransaction<Result>(
  lease: Transactor,
  { isolation, limit }: { isolation: Isolation; limit: number },
  body: (statements: Statements) => Promise<Result>,
): Promise<Result> {
  const limits = ["statement_timeout", "idle_in_transaction_session_timeout"]
    .map((name) => `SET LOCAL ${name} = ${limit}`);
  const begin = [`BEGIN ISOLATION LEVEL ${isolation}`, ...limits, ...NUMBER[isolation]];
  const number = await orRollback(lease, async () => {
    const { rows: [begun] } = await lease.command(begin.join("; "));
    return begun?.number as string | undefined;
  });
  const result = await orRollback(lease, () => run(lease, body));
  await commit(lease, { number, result });
  return result;
}

/** What fails in a transaction, even in what begins it, leaves the connection out of it. */
async function orRollback<Result>(
  lease: Transactor,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await rollback(lease);
    throw error;
  }
}

async function run<Result>(
  lease: Transactor,
  body: (statements: Statements) => Promise<Result>,
): Promise<Result> {
  let isOver = false;
  const query = <Row>(sql: string, values?: readonly Value[]): Promise<Answer<Row>> => {
    if (isOver) throw new Error("A transaction that is over was given a statement");
    return lease.query(sql, values);
  };
  try {
    return await lease.wait(() => body({ query }));
  } finally {
    isOver = true;
  }
}

/** A lease that cannot even be rolled back is broken, and so is its transaction. */
async function rollback(lease: Transactor): Promise<void> {
  try {
    await lease.command("ROLLBACK");
  } catch {
    // What is thrown is what went wrong first.
  }
}

async function commit(lease: Transactor, committing: Committing): Promise<void> {
  const { name } = await lease.command("COMMIT").catch((error) => {
    throw isDoubtful(error) ? new CommitUnknown(committing, error) : error;
  });
  // The server's answer when a statement has failed, though `body` made nothing of it.
  if (name === "ROLLBACK") {
    throw new Error("A transaction was committed after a statement had failed");
  }
}

/** Without a word of the server's, or with the last one of a connection, which comes after either. */
function isDoubtful(error: unknown): boolean {
  return sqlState(error) === undefined || isLost(error);
}
