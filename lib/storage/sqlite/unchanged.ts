/** A database opened so that looking at it changes nothing. */

import type { DomainError, StorageFault } from "../../base/errors.ts";
import { Connection } from "./connection.ts";
import { openFailure } from "./faults.ts";

/**
 * Opens the database so that looking at it and closing it leaves everything as it was. With a
 * write-ahead log that must be read-only, or closing would write the log into the file; without one
 * it must not, or the empty log that SQLite makes could not be removed by closing. Where the disk
 * has no place for that log, the file alone is the whole database, and is read into memory.
 */
export function openUnchanged(
  path: string,
  busyTimeout: number,
): { connection: Connection; fault?: StorageFault } {
  const hasLog = sizeOf(`${path}-wal`) > 0;
  const connection = Connection.open(path, { readOnly: hasLog, busyTimeout });
  try {
    connection.get("SELECT name FROM sqlite_schema");
    return { connection };
  } catch (error) {
    connection.close();
    const failure = openFailure(path, error);
    const { fault } = (failure as DomainError).data ?? {};
    const snapshot = hasLog || (fault !== "read-only" && fault !== "full")
      ? undefined
      : Connection.fromBytes(Deno.readFileSync(path));
    if (snapshot === undefined) throw failure;
    return { connection: snapshot, fault: fault! };
  }
}

/** The size of a file in bytes; 0 when there is none. */
export function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw openFailure(path, error);
  }
}

/** Whether there is a file; links are followed. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw openFailure(path, error);
  }
}

/** The number of migrations that were applied. */
export function schemaVersion(connection: Pick<Connection, "get">): number {
  return connection.get<{ user_version: number }>("PRAGMA user_version")!.user_version;
}
