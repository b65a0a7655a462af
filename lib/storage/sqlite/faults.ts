/** What goes wrong in SQLite, told apart by its result codes (https://sqlite.org/rescode.html). */

import { diskFault } from "../../base/disk.ts";
import {
  DomainError,
  isDomainError,
  type StorageFault,
  storageUnavailable,
} from "../../base/errors.ts";

/** Primary result codes that may pass by themselves. */
const FAULTS: Record<number, StorageFault> = {
  5: "locked", // SQLITE_BUSY
  6: "locked", // SQLITE_LOCKED
  8: "read-only", // SQLITE_READONLY
  10: "unreachable", // SQLITE_IOERR
  11: "damaged", // SQLITE_CORRUPT, which a disk that cannot be read gives, too
  13: "full", // SQLITE_FULL
  14: "unreachable", // SQLITE_CANTOPEN
  26: "damaged", // SQLITE_NOTADB
};

/** The same of extended result codes, which say more than their primary ones. */
const EXTENDED_FAULTS: Record<number, StorageFault> = {
  1811: "altered", // SQLITE_CONSTRAINT_TRIGGER: no trigger of this program raises anything
  4874: "full", // SQLITE_IOERR_SHMSIZE: there is no room for the index of the write-ahead log
};

/** The error to throw for one that SQLite raised. */
export function classify(error: unknown): unknown {
  const code = resultCode(error);
  const fault = code === undefined ? undefined : EXTENDED_FAULTS[code] ?? FAULTS[code & 0xff];
  if (fault !== undefined) return storageUnavailable(fault, error);
  return isTooLarge(error) ? storageUnavailable("damaged", error) : error;
}

/** The extended result code of an error that SQLite raised. */
function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code : undefined;
}

/** A number that JavaScript cannot hold, where this program never writes one. */
function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError && (error as { code?: unknown }).code === "ERR_OUT_OF_RANGE";
}

/** What a database that is not sound is answered with. */
export function corruption(path: string, details: string, cause?: unknown): DomainError {
  return new DomainError("database_unusable", `The database ${path} is corrupt (${details})`, {
    cause,
    hints: ["it was left untouched: put a backup in its place, or move it away to start anew"],
  });
}

/** The error to throw when a database cannot be opened. */
export function openFailure(path: string, error: unknown): unknown {
  const failure = classify(error);
  if (isDomainError(failure, "storage_unavailable")) {
    const { fault } = failure.data;
    if (fault === "damaged") return corruption(path, messageOf(failure.cause), error);
    return fault === "unreachable" ? storageUnavailable(diskFault(path) ?? fault, error) : failure;
  }
  if (failure instanceof DomainError) return failure;
  const fault = diskFault(path);
  if (fault !== undefined) return storageUnavailable(fault, error);
  return new DomainError(
    "database_unusable",
    `The database ${path} cannot be opened: ${messageOf(error)}`,
    {
      cause: error,
      hints: ["DATABASE must name a file in an existing directory that this user may write"],
    },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
