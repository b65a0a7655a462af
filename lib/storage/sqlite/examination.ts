/**
 * A look at a database before anything is done to it, which changes not a byte. (SQLite may make an
 * empty index beside a log that a killed process has left.)
 */

import { irregularity, placeOf } from "../../base/disk.ts";
import { DomainError, type StorageFault } from "../../base/errors.ts";
import type { KeyEncryptionRecord } from "../storage.ts";
import { type Connection, OPENING_TIMEOUT } from "./connection.ts";
import { corruption, openFailure } from "./faults.ts";
import { integrityOf, quickCheck } from "./integrity.ts";
import { isMarkedRunning, readKeyEncryption } from "./meta.ts";
import { SCHEMA_VERSION, tablesOf } from "./schema.ts";
import { openUnchanged, schemaVersion, sizeOf } from "./unchanged.ts";

/** What was found; it is handed on to whoever opens the database, so that it is examined once. */
export interface Examination {
  path: string;
  /** There is no database yet. */
  isNew: boolean;
  /** What the database keeps of its secret; `undefined` when there is nothing yet. */
  keyEncryption: KeyEncryptionRecord | undefined;
  /** Set when the last server came to no clean end: whether all of the database was checked then. */
  uncleanEnd?: { isChecked: boolean };
  /** The version of its schema, when it is not this program's yet. */
  oldVersion?: number;
  /** A copy in memory, because of a fault of the disk; only for reading. */
  snapshot?: { connection: Connection; fault: StorageFault };
}

export interface ExaminationOptions {
  /** How long to wait for a lock, in milliseconds. */
  busyTimeout?: number;
  /**
   * Whether what only a server needs is examined, too, unless that takes long: the users; and after
   * an unclean end everything.
   */
  withUsers?: boolean;
  /** Pages up to which everything is examined after an unclean end. */
  mostPages?: number;
}

/** What the first bytes of a database say (https://sqlite.org/fileformat.html §1.3.1). */
const MAGIC = "SQLite format 3\0";

/** The smallest page, so the smallest database, in bytes. */
const SMALLEST = 512;

/** What is added to the name of a database for the files that SQLite reads and writes with it. */
const FILES = ["", "-wal", "-journal"];

/** Pages up to which the users are examined at every start; a larger table is left to `doctor`. */
const FEW_PAGES = 4096;

/**
 * Pages up to which everything is examined after an unclean end, of 4 KiB: 2 GiB, for which a start
 * takes seconds. SQLite itself loses nothing by a crash; what is looked for is what the disk lost.
 */
const MANY_PAGES = 524_288;

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
  { busyTimeout = OPENING_TIMEOUT, withUsers = false, mostPages = MANY_PAGES }: ExaminationOptions =
    {},
): Examination {
  for (const suffix of FILES) assertRegular(`${path}${suffix}`);
  if (sizeOf(path) === 0) {
    assertPlace(path);
    return { path, isNew: true, keyEncryption: undefined };
  }
  assertDatabase(path);
  const hasLog = sizeOf(`${path}-wal`) > 0;
  const { connection, fault } = openUnchanged(path, busyTimeout);
  let isKept = false;
  try {
    const version = assertVersion(path, connection);
    if (version === 0) return { path, isNew: true, keyEncryption: undefined };
    assertSound(path, connection, withUsers);
    const isUnclean = withUsers && (hasLog || isMarkedRunning(connection));
    const isChecked = isUnclean && pagesOf(connection) <= mostPages;
    if (isChecked) assertWhole(path, connection);
    isKept = fault !== undefined;
    return {
      path,
      isNew: false,
      keyEncryption: readKeyEncryption(connection),
      ...(isUnclean ? { uncleanEnd: { isChecked } } : {}),
      ...(version < SCHEMA_VERSION ? { oldVersion: version } : {}),
      ...(fault === undefined ? {} : { snapshot: { connection, fault } }),
    };
  } catch (error) {
    throw openFailure(path, error);
  } finally {
    if (!isKept) connection.close();
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
  const users = withUsers && pagesOf(connection) <= FEW_PAGES ? ["users"] : [];
  for (const table of ["sqlite_schema", "keys", "meta", ...users]) {
    const details = integrityOf(connection, table);
    if (details !== "ok") throw corruption(path, details);
  }
}

function assertWhole(path: string, connection: Connection): void {
  const details = quickCheck(connection, "");
  if (details !== "ok") throw corruption(path, details);
}

function pagesOf(connection: Connection): number {
  return connection.get<{ page_count: number }>("PRAGMA page_count")!.page_count;
}
