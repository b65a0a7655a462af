/**
 * A look at a database before anything is done to it, which changes not a byte. (SQLite may make an
 * empty index beside a log that a killed process has left.)
 */

import { irregularity, placeOf } from "../../base/disk.ts";
import { DomainError, isDomainError, type StorageFault } from "../../base/errors.ts";
import type { KeyEncryptionRecord } from "../storage.ts";
import { Connection, OPENING_TIMEOUT } from "./connection.ts";
import { corruption, openFailure } from "./faults.ts";
import { readKeyEncryption } from "./meta.ts";
import { SCHEMA_VERSION, tablesOf } from "./schema.ts";

/** What was found; it is handed on to whoever opens the database, so that it is examined once. */
export interface Examination {
  path: string;
  /** There is no database yet. */
  isNew: boolean;
  /** What the database keeps of its secret; `undefined` when there is nothing yet. */
  keyEncryption: KeyEncryptionRecord | undefined;
  /** A copy in memory, because of a fault of the disk; only for reading. */
  snapshot?: { connection: Connection; fault: StorageFault };
}

export interface ExaminationOptions {
  /** How long to wait for a lock, in milliseconds. */
  busyTimeout?: number;
  /** Whether the table of users is examined, too, unless that takes long. */
  withUsers?: boolean;
}

/** What the first bytes of a database say (https://sqlite.org/fileformat.html §1.3.1). */
const MAGIC = "SQLite format 3\0";

/** The smallest page, so the smallest database, in bytes. */
const SMALLEST = 512;

/** What is added to the name of a database for the files that SQLite reads and writes with it. */
const FILES = ["", "-wal", "-journal"];

/** Pages up to which the users are examined at every start; a larger table is left to `doctor`. */
const FEW_PAGES = 4096;

/** The place of a database that is kept in memory: there is nothing to examine. */
export const IN_MEMORY: Examination = { path: ":memory:", isNew: true, keyEncryption: undefined };

/**
 * Examines the database at `path`.
 *
 * @throws {DomainError} `database_unusable` when it is no regular file, corrupt, foreign, newer than
 * this program, or cannot be read; `storage_unavailable` when that may pass.
 */
export function examineDatabase(
  path: string,
  { busyTimeout = OPENING_TIMEOUT, withUsers = false }: ExaminationOptions = {},
): Examination {
  for (const suffix of FILES) assertRegular(`${path}${suffix}`);
  if (sizeOf(path) === 0) {
    assertPlace(path);
    return { path, isNew: true, keyEncryption: undefined };
  }
  assertDatabase(path);
  const { connection, fault } = openUnchanged(path, busyTimeout);
  let isKept = false;
  try {
    const version = assertVersion(path, connection);
    if (version === 0) return { path, isNew: true, keyEncryption: undefined };
    assertSound(path, connection, withUsers);
    isKept = fault !== undefined;
    return {
      path,
      isNew: false,
      keyEncryption: readKeyEncryption(connection),
      ...(fault === undefined ? {} : { snapshot: { connection, fault } }),
    };
  } catch (error) {
    throw openFailure(path, error);
  } finally {
    if (!isKept) connection.close();
  }
}

/**
 * Everything that is wrong with the whole database, `ok` if nothing is; it is read from its first to
 * its last byte.
 *
 * @throws as `examineDatabase` does.
 */
export function checkIntegrity(path: string): string {
  const { connection } = openUnchanged(path, OPENING_TIMEOUT);
  try {
    const tables = ["sqlite_schema", ...tablesOf(schemaVersion(connection))];
    const found = tables.map((table) => integrityOf(connection, table));
    const damage = found.filter((details) => details !== "ok");
    // Only the check of everything sees the pages that belong to no table.
    return damage.length > 0 ? damage.join("; ") : quickCheck(connection, "");
  } catch (error) {
    throw openFailure(path, error);
  } finally {
    connection.close();
  }
}

/** What is wrong with a table, by its name; SQLite does not always say which one it is. */
function integrityOf(connection: Connection, table: string): string {
  try {
    const details = quickCheck(connection, `(${table})`);
    return details === "ok" ? details : `${table}: ${details}`;
  } catch (error) {
    if (!isDomainError(error) || error.data.fault !== "damaged") throw error;
    return `${table}: ${(error.cause as Error).message}`;
  }
}

function quickCheck(connection: Connection, scope: string): string {
  const rows = connection.all<{ quick_check: string }>(`PRAGMA quick_check${scope}`);
  return rows.map((row) => row.quick_check).join(", ");
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

function assertRegular(path: string): void {
  let kind: string | undefined;
  try {
    kind = irregularity(path);
  } catch (error) {
    throw openFailure(path, error);
  }
  if (kind === undefined) return;
  throw new DomainError("database_unusable", `The database ${path} is ${kind}`, {
    hints: ["DATABASE must name a regular file, or none yet; nothing was touched"],
  });
}

/** Before anything is made beside it, such as a secret. */
function assertPlace(path: string): void {
  const place = placeOf(path);
  if (irregularity(place) === "a directory") return;
  throw new DomainError(
    "database_unusable",
    `The database ${path} cannot be made: there is no directory ${place}`,
    { hints: ["DATABASE must name a file in an existing directory that this user may write"] },
  );
}

/** SQLite takes a file of one byte for an empty one. */
function assertDatabase(path: string): void {
  const start = new Uint8Array(MAGIC.length);
  try {
    using file = Deno.openSync(path);
    file.readSync(start);
  } catch (error) {
    throw openFailure(path, error);
  }
  if (sizeOf(path) >= SMALLEST && new TextDecoder().decode(start) === MAGIC) return;
  throw corruption(path, "it does not begin as a SQLite database does");
}

/**
 * Opens the database so that looking at it and closing it leaves everything as it was. With a
 * write-ahead log that must be read-only, or closing would write the log into the file; without one
 * it must not, or the empty log that SQLite makes could not be removed by closing. Where the disk
 * has no place for that log, the file alone is the whole database, and is read into memory.
 */
function openUnchanged(
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

function assertVersion(path: string, connection: Connection): number {
  const version = schemaVersion(connection);
  if (version > SCHEMA_VERSION) {
    throw new DomainError(
      "database_unusable",
      `The database ${path} has schema version ${version}, newer than this program's ${SCHEMA_VERSION}`,
      {
        hints: [
          "start the newer jwks-server that wrote it, or restore a backup made before the upgrade",
        ],
      },
    );
  }
  const names = connection.all<{ name: string }>("SELECT name FROM sqlite_schema")
    .map(({ name }) => name);
  if (version === 0 && names.length > 0) {
    throw new DomainError("database_unusable", `The database ${path} was not made by jwks-server`, {
      hints: ["it was left untouched: move it away, or set DATABASE to another file"],
    });
  }
  const missing = version === 0 ? [] : tablesOf(version).filter((table) => !names.includes(table));
  if (missing.length > 0) {
    throw new DomainError(
      "database_unusable",
      `The database ${path} lacks the table ${missing.join(" and the table ")}`,
      { hints: ["it was left untouched: put a backup in its place"] },
    );
  }
  return version;
}

/** The tables without which no key can be had are small; the users are not always. */
function assertSound(path: string, connection: Connection, withUsers: boolean): void {
  const { page_count: pages } = connection.get<{ page_count: number }>("PRAGMA page_count")!;
  const users = withUsers && pages <= FEW_PAGES ? ["users"] : [];
  for (const table of ["sqlite_schema", "keys", "meta", ...users]) {
    const details = integrityOf(connection, table);
    if (details !== "ok") throw corruption(path, details);
  }
}

/** The number of migrations that were applied. */
export function schemaVersion(connection: Pick<Connection, "get">): number {
  return connection.get<{ user_version: number }>("PRAGMA user_version")!.user_version;
}
