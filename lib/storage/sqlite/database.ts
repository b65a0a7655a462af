/** A SQLite connection: opened safely, and watched. */

import * as sqlite from "node:sqlite";
import { CommandError, EXIT, StorageUnavailableError } from "../../base/errors.ts";
import { classify, corruption, openFailure } from "./faults.ts";
import { MIGRATIONS, SCHEMA_VERSION } from "./schema.ts";

/**
 * How long a statement waits for a lock while a database is opened, in milliseconds. In a server
 * none waits afterwards: it would block the event loop.
 */
const OPENING_TIMEOUT = 500;

/** Prepared statements over one connection; every failure is classified. */
export class SqliteDatabase {
  readonly #connection: sqlite.DatabaseSync;
  readonly #statements = new Map<string, sqlite.StatementSync>();
  #file: { path: string; dev: number; ino: number | null } | undefined;

  private constructor(connection: sqlite.DatabaseSync) {
    this.#connection = connection;
  }

  /**
   * Opens `path` for reading and writing, creates it (mode 0600) when it does not exist, and brings
   * its schema up to date.
   *
   * @throws {CommandError} when the file is corrupt, newer than this program, or cannot be opened.
   * It is then left as it was: it is first examined through a read-only connection.
   */
  static open(path: string): SqliteDatabase {
    examineDatabase(path);
    const isNew = path !== ":memory:" && !hasContent(path);
    const database = new SqliteDatabase(connect(path, false));
    try {
      if (isNew) Deno.chmodSync(path, 0o600);
      database.get("PRAGMA journal_mode = WAL");
      database.run("PRAGMA synchronous = FULL");
      database.run("PRAGMA foreign_keys = ON");
      database.#migrate();
      database.get("PRAGMA busy_timeout = 0");
      database.#file = path === ":memory:" ? undefined : { path, ...identityOf(path) };
      return database;
    } catch (error) {
      database.close();
      throw openFailure(path, error);
    }
  }

  /**
   * Opens an existing database so that looking at it and closing it leaves everything as it was.
   * With a write-ahead log that must be read-only, or closing would write the log into the file;
   * without one it must not, or the empty log that SQLite makes could not be removed by closing.
   */
  static openUnchanged(path: string): SqliteDatabase {
    return new SqliteDatabase(connect(path, hasContent(`${path}-wal`)));
  }

  /** Runs a statement and gives the number of rows it changed. */
  run(sql: string, ...values: (string | number | Uint8Array | null)[]): number {
    return this.#call(sql, (statement) => Number(statement.run(...values).changes));
  }

  /** The first row, or `undefined`. The caller names the row's type: the schema is ours. */
  get<Row>(sql: string, ...values: (string | number | Uint8Array | null)[]): Row | undefined {
    return this.#call(sql, (statement) => statement.get(...values) as Row | undefined);
  }

  /** All rows. */
  all<Row>(sql: string, ...values: (string | number | Uint8Array | null)[]): Row[] {
    return this.#call(sql, (statement) => statement.all(...values) as Row[]);
  }

  /** Runs `body` in a transaction that holds the write lock from its start. */
  transaction<Result>(body: () => Result): Result {
    this.#assertInPlace();
    this.run("BEGIN IMMEDIATE");
    try {
      const result = body();
      this.run("COMMIT");
      return result;
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  /** Copies the database as it is now to `file`; others may go on reading and writing. */
  async backup(file: string): Promise<void> {
    // In one step: a copy in several begins anew whenever another process writes in between.
    if ("backup" in sqlite) await sqlite.backup(this.#connection, file, { rate: 0x7fffffff });
    else while (!this.#copyCheckpointed(file));
  }

  /**
   * The same on a Deno without `backup`: once the write-ahead log is empty, the file is the whole
   * database, and the write lock keeps it so. Writers wait as long as the copy takes.
   */
  #copyCheckpointed(file: string): boolean {
    const [main] = this.all<{ file: string }>("PRAGMA database_list");
    this.get(`PRAGMA busy_timeout = ${OPENING_TIMEOUT}`); // only a command backs up: it may wait
    this.get("PRAGMA wal_checkpoint(TRUNCATE)");
    return this.transaction(() => {
      if (Deno.statSync(`${main!.file}-wal`).size > 0) return false;
      Deno.copyFileSync(main!.file, file);
      return true;
    });
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }

  #call<Result>(sql: string, use: (statement: sqlite.StatementSync) => Result): Result {
    try {
      let statement = this.#statements.get(sql);
      if (statement === undefined) {
        statement = this.#connection.prepare(sql);
        this.#statements.set(sql, statement);
      }
      return use(statement);
    } catch (error) {
      throw classify(error);
    }
  }

  #rollback(): void {
    try {
      this.#connection.exec("ROLLBACK");
    } catch {
      // SQLite has already rolled back by itself (a full disk, an I/O error): nothing is open.
    }
  }

  /** What is written into a file that was deleted or replaced would be lost without a sign. */
  #assertInPlace(): void {
    if (this.#file === undefined) return;
    const { path, dev, ino } = this.#file;
    const found = identityOf(path);
    if (found.dev === dev && found.ino === ino) return;
    const cause = new Error(`${path} was deleted or replaced since it was opened`);
    throw new StorageUnavailableError("unreachable", { cause });
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
        this.#connection.exec(MIGRATIONS[version]!);
        this.#connection.exec(`PRAGMA user_version = ${version + 1}`);
      });
    }
  }
}

/**
 * Examines an existing database without changing it, and gives what `look` sees in it; `undefined`
 * when there is none yet.
 *
 * @throws {CommandError} when it is corrupt, foreign, newer than this program, or cannot be read.
 */
export function examineDatabase<Seen>(
  path: string,
  look?: (database: SqliteDatabase) => Seen,
): Seen | undefined {
  if (path === ":memory:" || !hasContent(path)) return undefined;
  const database = SqliteDatabase.openUnchanged(path);
  try {
    const version = schemaVersion(database);
    if (version > SCHEMA_VERSION) {
      throw new CommandError(
        EXIT.config,
        `the database ${path} has schema version ${version}, newer than this program's ${SCHEMA_VERSION}`,
        ["start the newer jwks-server that wrote it, or restore a backup made before the upgrade"],
      );
    }
    const isForeign = version === 0 && database.get("SELECT name FROM sqlite_schema") !== undefined;
    if (isForeign) {
      throw new CommandError(EXIT.config, `the database ${path} was not made by jwks-server`, [
        "it was left untouched: move it away, or set DATABASE to another file",
      ]);
    }
    for (const table of version === 0 ? [] : ["keys", "users", "meta"]) {
      const [first] = database.all<{ quick_check: string }>(`PRAGMA quick_check(${table})`);
      if (first?.quick_check !== "ok") throw corruption(path, first?.quick_check ?? "no answer");
    }
    return version === 0 ? undefined : look?.(database);
  } catch (error) {
    throw openFailure(path, error);
  } finally {
    database.close();
  }
}

function identityOf(path: string): { dev: number; ino: number | null } {
  try {
    const { dev, ino } = Deno.statSync(path);
    return { dev, ino };
  } catch {
    return { dev: 0, ino: null }; // it is not there
  }
}

function schemaVersion(database: SqliteDatabase): number {
  return database.get<{ user_version: number }>("PRAGMA user_version")!.user_version;
}

function hasContent(path: string): boolean {
  try {
    return Deno.statSync(path).size > 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw openFailure(path, error);
  }
}

function connect(path: string, readOnly: boolean): sqlite.DatabaseSync {
  try {
    const connection = new sqlite.DatabaseSync(path, { readOnly });
    connection.exec(`PRAGMA busy_timeout = ${OPENING_TIMEOUT}`);
    return connection;
  } catch (error) {
    throw openFailure(path, error);
  }
}
