/** A database in a file, as a server or a command finds it. */

import { DomainError, storageUnavailable } from "../base/errors.ts";
import { NETWORK_ADVICE, networkUnder, type ReadType } from "../base/file_system.ts";
import type { Log } from "../base/log.ts";
import { SqliteDatabase } from "../storage/sqlite/database.ts";
import { type Examination, examineDatabase } from "../storage/sqlite/examination.ts";
import { SCHEMA_VERSION } from "../storage/sqlite/schema.ts";
import { SqliteStorage } from "../storage/sqlite/sqlite_storage.ts";
import type { ExaminedDatabase, Purpose } from "./examined_database.ts";

/** @throws as `examineDatabase` does. */
export async function examineFile(
  path: string,
  purpose: Purpose,
  log: Log,
): Promise<ExaminedDatabase> {
  const examined = examineDatabase(path, { withUsers: purpose === "server" });
  if (purpose === "server") {
    tellOf(examined, log);
    await warnOfNetwork(path, log);
  }
  const { isNew, keyEncryption, snapshot } = examined;
  return {
    isNew,
    keyEncryption,
    open: () => Promise.resolve(new SqliteStorage(SqliteDatabase.open(examined))),
    close: () => Promise.resolve(snapshot?.connection.close()),
  };
}

/**
 * Brings the schema of an existing database up to date.
 *
 * @throws {DomainError} as `examineDatabase` does, `database_unusable` when there is none, and
 * `storage_unavailable` when it cannot be written.
 */
export function migrateFile(path: string): { from: number; to: number } {
  const examined = examineDatabase(path);
  const { isNew, oldVersion, snapshot } = examined;
  if (isNew) throw noDatabase(path);
  if (snapshot !== undefined) {
    snapshot.connection.close();
    throw storageUnavailable(snapshot.fault);
  }
  if (oldVersion !== undefined) SqliteDatabase.open(examined).close();
  return { from: oldVersion ?? SCHEMA_VERSION, to: SCHEMA_VERSION };
}

/** What is said where a command finds no file. */
export function noDatabase(path: string): DomainError {
  return new DomainError("database_unusable", `There is no database ${path}`, {
    hints: [
      "run the command where the server runs, or set DATABASE; jwks-server init makes a database",
    ],
  });
}

/** Says what was done at the start, or is about to be, that takes long on a large database. */
function tellOf({ uncleanEnd, oldVersion }: Examination, log: Log): void {
  if (uncleanEnd?.isChecked) {
    log.info("the last server came to no clean end, or still runs: the whole database is sound");
  } else if (uncleanEnd) {
    log.warn("the last server came to no clean end, or still runs: the database is unchecked", {
      hint: "it is too large for a start; jwks-server doctor checks it",
    });
  }
  if (oldVersion !== undefined) {
    log.info("the database is brought up to date, which may take a while", {
      from: oldVersion,
      to: SCHEMA_VERSION,
    });
  }
}

/** Tells of a database on another machine's disk: it may work, and lose what it holds. */
export async function warnOfNetwork(path: string, log: Log, readType?: ReadType): Promise<void> {
  const network = await networkUnder(path, readType);
  if (network === undefined) return;
  log.warn(`the database lies on a network file system: ${NETWORK_ADVICE}`, {
    file_system: network,
  });
}
