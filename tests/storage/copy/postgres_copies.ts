/** Copies into a database of PostgreSQL and out of it, for one test after the other. */

import assert from "node:assert/strict";
import { DomainError } from "../../../lib/base/errors.ts";
import { type Copied, copyTables, type OnProgress } from "../../../lib/storage/copy.ts";
import { parsePostgresUrl } from "../../../lib/storage/postgres/location.ts";
import * as postgres from "../../../lib/storage/postgres/table_access.ts";
import { readTables } from "../../../lib/storage/sqlite/table_reader.ts";
import { writeTables } from "../../../lib/storage/sqlite/table_target.ts";
import { type ReadTables, TABLES, type WriteTables } from "../../../lib/storage/tables.ts";
import { failureOf } from "../../support.ts";
import type { TestDatabase } from "../postgres/databases.ts";

export class PostgresCopies {
  readonly database: TestDatabase;

  constructor(database: TestDatabase) {
    this.database = database;
  }

  get #server(): postgres.TrustedServer {
    const { server, name } = this.database;
    return { location: parsePostgresUrl(server.socketUrl(name))!, ca: undefined };
  }

  readonly read: ReadTables = (body) => postgres.readTables(this.#server, body);

  readonly write: WriteTables = (body) => postgres.writeTables(this.#server, body);

  /** Copies a SQLite file into the database. */
  copyIn(from: string, onProgress?: OnProgress): Promise<Copied> {
    return copyTables((body) => readTables(from, body), this.write, { onProgress });
  }

  /** Copies the database into a SQLite file. */
  copyOut(to: string): Promise<Copied> {
    return copyTables(this.read, (body) => writeTables(to, body));
  }

  /** The refusal of a copy into the database, which is empty afterwards. */
  async refused(from: string): Promise<DomainError> {
    const error = await failureOf(() => this.copyIn(from));
    assert.ok(error instanceof DomainError, String(error));
    assert.equal(await this.countRows(), 0);
    return error;
  }

  /** How many rows there are in all tables that are copied. */
  async countRows(): Promise<number> {
    const counts = TABLES.map(({ name }) => `(SELECT count(*) FROM ${name})`);
    return Number(await this.database.psql(`SELECT ${counts.join(" + ")}`));
  }
}
