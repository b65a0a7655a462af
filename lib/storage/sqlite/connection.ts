/** Prepared statements over one SQLite connection; every failure is classified. */

import * as sqlite from "node:sqlite";
import { storageUnavailable } from "../../base/errors.ts";
import { classify, openFailure } from "./faults.ts";

/** A value that is bound to a statement. */
export type Value = string | number | Uint8Array | null;

/**
 * How long a statement waits for a lock while a database is opened, in milliseconds. In a server
 * none waits afterwards: it would block the event loop.
 */
export const OPENING_TIMEOUT = 500;

/** The read and write version in a database's header (https://sqlite.org/fileformat.html §1.3.3). */
const VERSIONS = { from: 18, to: 20, rollback: 1 };

export interface OpenOptions {
  readOnly: boolean;
  /** How long a statement waits for a lock, in milliseconds. */
  busyTimeout: number;
}

export class Connection {
  readonly #connection: sqlite.DatabaseSync;
  readonly #statements = new Map<string, sqlite.StatementSync>();
  #isOpen = true;

  private constructor(connection: sqlite.DatabaseSync) {
    this.#connection = connection;
  }

  /** @throws {DomainError} `database_unusable` or `storage_unavailable` when it cannot be opened. */
  static open(path: string, { readOnly, busyTimeout }: OpenOptions): Connection {
    try {
      const connection = new Connection(new sqlite.DatabaseSync(path, { readOnly }));
      connection.get(`PRAGMA busy_timeout = ${busyTimeout}`);
      return connection;
    } catch (error) {
      throw openFailure(path, error);
    }
  }

  /**
   * A copy of a database in memory, without its write-ahead log; `undefined` on a Deno that cannot
   * make one. What SQLite itself needs beside the file is not needed then.
   */
  static fromBytes(bytes: Uint8Array): Connection | undefined {
    const memory = new sqlite.DatabaseSync(":memory:");
    if (!("deserialize" in memory)) return undefined;
    const copy = bytes.slice();
    copy.fill(VERSIONS.rollback, VERSIONS.from, VERSIONS.to);
    (memory.deserialize as (bytes: Uint8Array) => void)(copy);
    return new Connection(memory);
  }

  /** Runs a statement and gives the number of rows it changed. */
  run(sql: string, ...values: Value[]): number {
    return this.#call(sql, (statement) => Number(statement.run(...values).changes));
  }

  /** The first row, or `undefined`. The caller names the row's type: the schema is ours. */
  get<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.#call(sql, (statement) => statement.get(...values) as Row | undefined);
  }

  /** All rows. */
  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#call(sql, (statement) => statement.all(...values) as Row[]);
  }

  /** Copies the database as it is now to `file`; `undefined` on a Deno that cannot. */
  backup(file: string): Promise<unknown> | undefined {
    // In one step: a copy in several begins anew whenever another process writes in between.
    return "backup" in sqlite
      ? sqlite.backup(this.#connection, file, { rate: 0x7fffffff })
      : undefined;
  }

  /** Whatever is asked of a closed one is `storage_unavailable`. */
  close(): void {
    this.#statements.clear();
    if (this.#isOpen) this.#connection.close();
    this.#isOpen = false;
  }

  #call<Result>(sql: string, use: (statement: sqlite.StatementSync) => Result): Result {
    if (!this.#isOpen) throw storageUnavailable("unreachable");
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
}
