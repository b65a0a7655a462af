/** The tables of a SQLite database, row by row, as they are at one moment. */

import { DomainError } from "../../base/errors.ts";
import {
  additionsIn,
  type Column,
  type OddValue,
  type Page,
  PAGE_ROWS,
  type Row,
  type Table,
  type TableReader,
} from "../tables.ts";
import { examineDatabase } from "./examination.ts";
import { isMarkedRunning, LAST_REVISION, readRevision } from "./meta.ts";
import { type NamedConnection, openForReading } from "./named_connection.ts";
import { tablesOf } from "./schema.ts";
import { readColumn, reasonFor, toValue } from "./table_values.ts";
import { schemaVersion } from "./unchanged.ts";

/**
 * Runs `body`, which only reads, on the database at `path` as it is at one moment.
 *
 * @throws {DomainError} as `examineDatabase` does, and `database_unusable` when there is none; whatever
 * `body` throws.
 */
export async function readTables<Result>(
  path: string,
  body: (reader: TableReader) => Promise<Result>,
): Promise<Result> {
  assertThere(path);
  const connection = openForReading(path);
  try {
    connection.run("BEGIN");
    return await body(new SqliteTableReader(connection));
  } finally {
    connection.close(); // which ends the transaction
  }
}

function assertThere(path: string): void {
  const { isNew, snapshot } = examineDatabase(path);
  snapshot?.connection.close();
  if (!isNew) return;
  throw new DomainError("database_unusable", `There is no database ${path}`, {
    hints: ["set DATABASE to the database that is to be copied"],
  });
}

/** Reads over a connection that is in a transaction. */
export class SqliteTableReader implements TableReader {
  protected readonly connection: NamedConnection;
  /** A database of an older version has not all of them. */
  readonly #tables: readonly string[];

  constructor(connection: NamedConnection) {
    this.connection = connection;
    this.#tables = tablesOf(schemaVersion(connection));
  }

  count(table: Table): number {
    if (!this.#has(table)) return 0;
    const sql = `SELECT count(*) AS count FROM ${table.name} WHERE ${isPartOf(table)}`;
    return this.connection.get<{ count: number }>(sql)!.count;
  }

  *pages(table: Table): Generator<Page> {
    if (!this.#has(table)) return;
    let after: string | undefined;
    for (;;) {
      const found = this.connection.all<FoundRow>(
        selectRows(table, after !== undefined),
        ...after === undefined ? [] : [after],
        PAGE_ROWS,
      );
      if (found.length > 0) yield toPage(table, found);
      if (found.length < PAGE_ROWS) return;
      after = found.at(-1)!.rowid;
    }
  }

  lastNumber(table: Table): string {
    if (!this.#has(table)) return "0";
    const { name, key } = table;
    const sql = "SELECT CAST(max(0, " +
      `coalesce((SELECT max(${key}) FROM ${name}), 0), ` +
      "coalesce((SELECT max(seq) FROM sqlite_sequence " +
      "WHERE name = ? AND typeof(seq) = 'integer'), 0)) AS TEXT) AS number";
    return this.connection.get<{ number: string }>(sql, name)!.number;
  }

  /** One that does not count any more is 0, as it is set to when the database is opened. */
  revision(): number {
    const revision = readRevision(this.connection);
    return Number.isInteger(revision) && revision >= 0 && revision <= LAST_REVISION ? revision : 0;
  }

  additions(): string[] {
    return additionsIn(this.connection.all(
      "SELECT tables.name AS 'table', columns.name AS 'column' " +
        "FROM sqlite_schema tables, pragma_table_info(tables.name) columns " +
        "WHERE tables.type = 'table' AND tables.name NOT GLOB 'sqlite_*'",
    ));
  }

  /** One that came to no clean end has left the same mark. */
  isServed(): boolean {
    return isMarkedRunning(this.connection);
  }

  #has({ name }: Table): boolean {
    return this.#tables.includes(name);
  }
}

/** A row as it is read, by the names of its columns. */
interface FoundRow {
  /** As text: it may be larger than JavaScript's numbers are exact. */
  rowid: string;
  [column: string]: unknown;
}

/**
 * A page of rows. It begins after the row of that number by what stands there, whatever that is;
 * rows without a key are the first ones.
 */
function selectRows(table: Table, isContinued: boolean): string {
  const { name, key } = table;
  const columns = table.columns.map((column) => `${readColumn(name, column)} AS ${column.name}`);
  const isAfter = `${name}.${key} > ` +
    `(SELECT last.${key} FROM ${name} last WHERE last.rowid = CAST(? AS INTEGER))`;
  return `SELECT CAST(${name}.rowid AS TEXT) AS rowid, ${columns} FROM ${name} ` +
    `WHERE ${isPartOf(table)}${isContinued ? ` AND ${isAfter}` : ""} ` +
    `ORDER BY ${name}.${key} LIMIT ?`;
}

function isPartOf({ name, key, without }: Table): string {
  if (without.length === 0) return "TRUE";
  return `coalesce(${name}.${key}, '') NOT IN (${without.map((text) => `'${text}'`)})`;
}

function toPage(table: Table, found: readonly FoundRow[]): Page {
  const rows: Row[] = [];
  const odd: OddValue[] = [];
  for (const row of found) {
    const values = table.columns.map((column) => toValue(column, row[column.name]));
    const first = values.indexOf(undefined);
    if (first === -1) rows.push(values as Row);
    else odd.push(oddValue(table, row, table.columns[first]!));
  }
  return { rows, odd };
}

function oddValue({ name }: Table, row: FoundRow, column: Column): OddValue {
  const reason = reasonFor(column, row[column.name]);
  return { table: name, where: `rowid = ${row.rowid}`, column: column.name, reason };
}
