/** The tables of a SQLite database, row by row, as they are at one moment. */

import { parseTimestamp } from "../../base/clock.ts";
import { DomainError } from "../../base/errors.ts";
import {
  additionsIn,
  type Column,
  type ColumnKind,
  type OddValue,
  type Page,
  PAGE_ROWS,
  type Row,
  type Table,
  type TableReader,
  type Value,
} from "../tables.ts";
import { examineDatabase } from "./examination.ts";
import { isMarkedRunning, LAST_REVISION, readRevision } from "./meta.ts";
import { type NamedConnection, openForReading } from "./named_connection.ts";
import { tablesOf } from "./schema.ts";
import { schemaVersion } from "./unchanged.ts";

/** How a kind is kept, and how its values are read; any other value arrives as a number. */
interface Form {
  storedAs: "integer" | "text" | "blob";
  read: (column: string) => string;
  /** What is wrong with a value of another kind. */
  reason: string;
}

const INTEGER: Form = {
  storedAs: "integer",
  read: (column) => `CAST(${column} AS TEXT)`,
  reason: "is no integer",
};

const FORMS: Record<ColumnKind, Form> = {
  integer: INTEGER,
  user: { ...INTEGER, reason: "is no user's id" },
  // As text, node:sqlite ends it at a NUL character and replaces what is not UTF-8.
  text: {
    storedAs: "text",
    read: (column) => `CAST(${column} AS BLOB)`,
    reason: "is no text in UTF-8 without NUL characters",
  },
  bytes: { storedAs: "blob", read: (column) => column, reason: "is no bytes" },
  time: {
    storedAs: "text",
    read: (column) => column,
    reason: "is no time of the form YYYY-MM-DD HH:MM:SS",
  },
};

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

function readColumn(table: string, { name, kind }: Column): string {
  const column = `${table}.${name}`;
  const { storedAs, read } = FORMS[kind];
  const isUser = kind === "user" ? ` AND ${column} IN (SELECT id FROM users)` : "";
  return `CASE WHEN ${column} IS NULL THEN NULL ` +
    `WHEN typeof(${column}) = '${storedAs}'${isUser} THEN ${read(column)} ELSE 0 END`;
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

/** A value as it was read; `undefined` for an odd one. */
function toValue({ kind, isOptional }: Column, found: unknown): Value | undefined {
  if (found === null) return isOptional ? null : undefined;
  if (typeof found === "number") return undefined;
  if (kind === "text") return textIn(found as Uint8Array);
  if (kind === "time") return isTime(found as string) ? found as string : undefined;
  return found as Value;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textIn(bytes: Uint8Array): string | undefined {
  try {
    const text = utf8.decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

/** There is no year 0 in the calendar of SQL. */
function isTime(text: string): boolean {
  return parseTimestamp(text) !== undefined && !text.startsWith("0000");
}

function oddValue({ name }: Table, row: FoundRow, { name: column, kind }: Column): OddValue {
  const reason = row[column] === null ? "is missing" : FORMS[kind].reason;
  return { table: name, where: `rowid = ${row.rowid}`, column, reason };
}
