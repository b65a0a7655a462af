/** A copy of a database by means that every runtime has. */

import { storageUnavailable } from "../../base/errors.ts";
import { OPENING_TIMEOUT } from "./connection.ts";
import { sizeOf } from "./unchanged.ts";

/** What is needed of the database. */
export interface Copyable {
  get(sql: string): unknown;
  /** Runs `body` in a transaction that holds the write lock. */
  transaction<Result>(body: () => Result): Result;
}

/** How often a copy is tried while others hold on to the log. */
const COPY_ATTEMPTS = 10;

/**
 * Copies the database of one file into another on a Deno without `backup` (before 2.5): once the
 * write-ahead log is empty, the file is the whole database, and the write lock keeps it so. Writers
 * wait as long as the copy takes.
 *
 * @throws {DomainError} `storage_unavailable` while a reader keeps the log from being emptied.
 */
export function copyCheckpointed(
  database: Copyable,
  { from, to }: { from: string; to: string },
  busyTimeout = OPENING_TIMEOUT,
): void {
  database.get(`PRAGMA busy_timeout = ${busyTimeout}`); // only a command backs up: it may wait
  for (let attempt = 0; attempt < COPY_ATTEMPTS; attempt++) {
    database.get("PRAGMA wal_checkpoint(TRUNCATE)");
    const isCopied = database.transaction(() => {
      if (sizeOf(`${from}-wal`) > 0) return false;
      Deno.copyFileSync(from, to);
      return true;
    });
    if (isCopied) return;
  }
  throw storageUnavailable("locked");
}
