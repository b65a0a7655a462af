/** A SQLite database: opened safely, watched, and opened again when its disk was not writable. */

import type { MonotonicClock } from "../../base/clock.ts";
import { diskFault } from "../../base/disk.ts";
import { isDomainError, type StorageFault, storageUnavailable } from "../../base/errors.ts";
import { Connection, OPENING_TIMEOUT, type Value } from "./connection.ts";
import { copyCheckpointed } from "./checkpointed_copy.ts";
import { type Examination, examineDatabase } from "./examination.ts";
import { openFailure } from "./faults.ts";
import { LAST_REVISION } from "./meta.ts";
import { MIGRATIONS, SCHEMA_VERSION } from "./schema.ts";
import { schemaVersion } from "./unchanged.ts";

/**
 * How many pages the write-ahead log may have before it is written into the file: few, since that
 * holds up everything else for as long as it takes.
 */
const CHECKPOINT_PAGES = 100;

/** A counter of changes as no program of this kind writes it: it would not count any more. */
const IS_SPOILT = "name = 'keys_revision' AND " +
  `(typeof(value) <> 'integer' OR value NOT BETWEEN 0 AND ${LAST_REVISION})`;

/** How often a database that could not be written is opened anew, in milliseconds. */
const ATTEMPT_INTERVAL = 1000;

export interface DatabaseOptions {
  /** How long a statement waits for a lock while the database is opened, in milliseconds. */
  busyTimeout?: number;
  now?: MonotonicClock;
}

export class SqliteDatabase {
  readonly #path: string;
  readonly #now: MonotonicClock;
  #connection: Connection;
  #file: { dev: number; ino: number | null } | undefined;
  /** Why the connection cannot write. It never will, so that another one has to be opened. */
  #fault: StorageFault | undefined;
  /** Before then it is not opened anew. */
  #nextAttempt = -Infinity;

  private constructor(path: string, connection: Connection, now: MonotonicClock) {
    this.#path = path;
    this.#connection = connection;
    this.#now = now;
  }

  /**
   * Opens what was examined for reading and writing, creates it (mode 0600) when it does not exist,
   * and brings its schema up to date. A sound database on a disk that is full or cannot be written
   * can be read, and is opened again as soon as that is possible.
   *
   * @throws {DomainError} `database_unusable` or `storage_unavailable` when it cannot be opened. An
   * existing file is then left as it was.
   */
  static open(examined: Examination, options: DatabaseOptions = {}): SqliteDatabase {
    const { path, isNew, snapshot } = examined;
    const { busyTimeout = OPENING_TIMEOUT, now = () => performance.now() } = options;
    if (snapshot !== undefined) {
      const database = new SqliteDatabase(path, snapshot.connection, now);
      database.#fault = snapshot.fault;
      return database;
    }
    const database = new SqliteDatabase(
      path,
      Connection.open(path, { readOnly: false, busyTimeout }),
      now,
    );
    try {
      if (isNew && path !== ":memory:") Deno.chmodSync(path, 0o600);
      database.#prepare();
      return database;
    } catch (error) {
      database.close();
      throw openFailure(path, error);
    }
  }

  run(sql: string, ...values: Value[]): number {
    return this.#connection.run(sql, ...values);
  }

  get<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.#connection.get<Row>(sql, ...values);
  }

  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#connection.all<Row>(sql, ...values);
  }

  /**
   * Runs `body` in a transaction that holds the write lock from its start.
   *
   * @throws {DomainError} `storage_unavailable`, with nothing written; whatever `body` throws.
   */
  transaction<Result>(body: () => Result): Result {
    this.recover();
    if (this.#fault !== undefined) throw storageUnavailable(this.#fault);
    this.#assertInPlace();
    this.run("BEGIN IMMEDIATE");
    try {
      const result = body();
      this.run("COMMIT");
      return result;
    } catch (error) {
      this.#rollback();
      if (isDomainError(error) && error.data.fault === "read-only") this.#fault = "read-only";
      throw error;
    }
  }

  /** Runs `body`, which only reads, on the database as it is at one moment. */
  snapshot<Result>(body: () => Result): Result {
    this.run("BEGIN");
    try {
      return body();
    } finally {
      this.#rollback();
    }
  }

  /**
   * Opens the database again when it could not be written before, as soon as its disk can be. The
   * connection is closed first: SQLite shares what it knows of a file between all connections of a
   * process, and also that it is read-only.
   */
  recover(): void {
    if (this.#fault === undefined || this.#now() < this.#nextAttempt) return;
    if (diskFault(this.#path) !== undefined) return;
    this.#nextAttempt = this.#now() + ATTEMPT_INTERVAL;
    this.#connection.close();
    try {
      const renewed = SqliteDatabase.open(examineExisting(this.#path), { busyTimeout: 0 });
      this.#connection = renewed.#connection;
      this.#file = renewed.#file;
      this.#fault = renewed.#fault;
    } catch (error) {
      this.#fault = "unreachable";
      throw isDomainError(error, "storage_unavailable")
        ? error
        : storageUnavailable("unreachable", error);
    }
  }

  /** Copies the database as it is now to `file`; others may go on reading and writing. */
  async backup(file: string): Promise<void> {
    const copied = this.#connection.backup(file);
    if (copied !== undefined) await copied;
    else copyCheckpointed(this, { from: this.#path, to: file });
  }

  close(): void {
    this.#connection.close();
  }

  #prepare(): void {
    this.get("PRAGMA journal_mode = WAL");
    this.get(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    this.run("PRAGMA synchronous = FULL");
    this.run("PRAGMA foreign_keys = ON");
    this.#migrate();
    if (this.get(`SELECT 1 FROM meta WHERE ${IS_SPOILT}`) !== undefined) {
      this.run(`UPDATE meta SET value = 0 WHERE ${IS_SPOILT}`);
    }
    this.get("PRAGMA busy_timeout = 0");
    if (this.#path !== ":memory:") this.#file = identityOf(this.#path);
  }

  #migrate(): void {
    for (
      let version = schemaVersion(this);
      version < SCHEMA_VERSION;
      version = schemaVersion(this)
    ) {
      this.transaction(() => {
        // Another process may have taken this step between the look and the lock.
        if (schemaVersion(this) !== version) return;
        for (const statement of MIGRATIONS[version]!) this.run(statement);
        this.run(`PRAGMA user_version = ${version + 1}`);
      });
    }
  }

  #rollback(): void {
    try {
      this.run("ROLLBACK");
    } catch {
      // SQLite has already rolled back by itself (a full disk, an I/O error): nothing is open.
    }
  }

  /** What is written into a file that was deleted or replaced would be lost without a sign. */
  #assertInPlace(): void {
    if (this.#file === undefined) return;
    const found = identityOf(this.#path);
    if (found.dev === this.#file.dev && found.ino === this.#file.ino) return;
    const cause = new Error(`${this.#path} was deleted or replaced since it was opened`);
    throw storageUnavailable("unreachable", cause);
  }
}

function examineExisting(path: string): Examination {
  const examined = examineDatabase(path, { busyTimeout: 0 });
  if (!examined.isNew) return examined;
  throw storageUnavailable("unreachable", new Error(`${path} is gone`));
}

function identityOf(path: string): { dev: number; ino: number | null } {
  try {
    const { dev, ino } = Deno.statSync(path);
    return { dev, ino };
  } catch {
    return { dev: 0, ino: null }; // it is not there
  }
}
