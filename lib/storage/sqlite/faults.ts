/** What goes wrong in SQLite, told apart by its result codes. */

import { CommandError, EXIT, type StorageFault, StorageUnavailableError } from "../../base/errors.ts";

/** Primary result codes (https://sqlite.org/rescode.html) that may pass by themselves. */
const FAULTS: Record<number, StorageFault> = {
  5: "locked", // SQLITE_BUSY
  6: "locked", // SQLITE_LOCKED
  8: "read-only", // SQLITE_READONLY
  10: "unreachable", // SQLITE_IOERR
  13: "full", // SQLITE_FULL
  14: "unreachable", // SQLITE_CANTOPEN
};

/** SQLITE_CORRUPT and SQLITE_NOTADB: the file is not, or no longer, a sound database. */
const CORRUPT = new Set([11, 26]);

/** The primary result code of an error that SQLite raised. */
function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}

/** The error to throw for one that SQLite raised. */
export function classify(error: unknown): unknown {
  const fault = FAULTS[resultCode(error) ?? -1];
  return fault === undefined ? error : new StorageUnavailableError(fault, { cause: error });
}

/** What a database that is not sound is answered with. */
export function corruption(path: string, details: string, cause?: unknown): CommandError {
  return new CommandError(
    EXIT.config,
    `the database ${path} is corrupt (${details})`,
    ["it was left untouched: put a backup in its place, or move it away to start anew"],
    { cause },
  );
}

/** The error to throw when a database cannot be opened. */
export function openFailure(path: string, error: unknown): unknown {
  const cause = classify(error);
  if (cause instanceof CommandError || cause instanceof StorageUnavailableError) return cause;
  const reason = error instanceof Error ? error.message : String(error);
  if (CORRUPT.has(resultCode(error) ?? -1)) return corruption(path, reason, error);
  return new CommandError(
    EXIT.config,
    `the database ${path} cannot be opened: ${reason}`,
    ["DATABASE must name a file in an existing directory that this user may write"],
    { cause: error },
  );
}
