/** The tables of a PostgreSQL database, row by row. */

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
  TABLES,
  type Value,
} from "../tables.ts";
import { isTime } from "./columns.ts";
import { readRevision } from "./meta.ts";
import type { Statements } from "./transaction.ts";

/** What each kind is kept as. */
export const TYPES: Record<ColumnKind, string> = {
  integer: "bigint",
  user: "bigint",
  text: "text",
  bytes: "bytea",
  time: "timestamp",
};

/** Stands for a time that no other engine can tell: infinity, or a year without four digits. */
const ODD = "odd";

/** After how many seconds without a word of its a server has ended: several times its interval. */
const SILENCE = 35;

/** Reads in a transaction, which for all of its statements to agree must be a snapshot. */
export class PostgresTableReader implements TableReader {
  protected readonly statements: Statements;

  constructor(statements: Statements) {
    this.statements = statements;
  }

  async count(table: Table): Promise<number> {
    const sql = `SELECT count(*) AS count FROM ${table.name} WHERE ${isPartOf(table)}`;
    return (await this.#first<{ count: number }>(sql)).count;
  }

  async *pages(table: Table): AsyncGenerator<Page> {
    let last: Value | undefined;
    for (;;) {
      const { rows: found } = await this.statements.query<FoundRow>(
        selectRows(table, last !== undefined),
        last === undefined ? [] : [last],
      );
      if (found.length > 0) yield toPage(table, found);
      if (found.length < PAGE_ROWS) return;
      last = found.at(-1)![table.key]!;
    }
  }

  async lastNumber({ name, key }: Table): Promise<string> {
    const sql = `SELECT greatest(0, (SELECT max(${key}) FROM ${name}), ` +
      `pg_sequence_last_value(pg_get_serial_sequence($1, $2)::regclass))::text AS number`;
    return (await this.#first<{ number: string }>(sql, [name, key])).number;
  }

  revision(): Promise<number> {
    return readRevision(this.statements);
  }

  /** The database may have tables of others: these are none of the copy's business. */
  async additions(): Promise<string[]> {
    const { rows } = await this.statements.query<{ table: string; column: string }>(
      'SELECT name AS "table", attname AS "column" FROM unnest($1::text[]) AS name ' +
        "JOIN pg_attribute ON attrelid = to_regclass(name) AND attnum > 0 AND NOT attisdropped",
      [TABLES.map(({ name }) => name)],
    );
    return additionsIn(rows);
  }

  async isServed(): Promise<boolean> {
    const recent = `seen_at > (now() AT TIME ZONE 'UTC') - interval '${SILENCE} seconds'`;
    const sql = `SELECT EXISTS (SELECT FROM servers WHERE ${recent}) AS "isServed"`;
    return (await this.#first<{ isServed: boolean }>(sql)).isServed;
  }

  async #first<Found>(sql: string, values?: readonly string[]): Promise<Found> {
    return (await this.statements.query<Found>(sql, values)).rows[0]!;
  }
}

/** A row as it is read, by the names of its columns. */
type FoundRow = Record<string, Value>;

/** A page of rows, the first one or those after a key. */
function selectRows(table: Table, isContinued: boolean): string {
  const { name, key, columns } = table;
  const kind = columns.find((column) => column.name === key)!.kind;
  const ordered = `${name}.${key}${kind === "text" ? ' COLLATE "C"' : ""}`;
  return `SELECT ${columns.map((column) => readColumn(name, column))} FROM ${name} ` +
    `WHERE ${isPartOf(table)}${isContinued ? ` AND ${ordered} > $1::${TYPES[kind]}` : ""} ` +
    `ORDER BY ${ordered} LIMIT ${PAGE_ROWS}`;
}

/** Integers as text: JavaScript's are not exact. */
function readColumn(table: string, { name, kind }: Column): string {
  const column = `${table}.${name}`;
  if (kind === "integer" || kind === "user") return `${column}::text AS ${name}`;
  if (kind !== "time") return column;
  return `CASE WHEN ${isTime(column)} THEN to_char(${column}, 'YYYY-MM-DD HH24:MI:SS') ` +
    `WHEN ${column} IS NOT NULL THEN '${ODD}' END AS ${name}`;
}

function isPartOf({ name, key, without }: Table): string {
  if (without.length === 0) return "TRUE";
  return `${name}.${key} NOT IN (${without.map((text) => `'${text}'`)})`;
}

function toPage(table: Table, found: readonly FoundRow[]): Page {
  const rows: Row[] = [];
  const odd: OddValue[] = [];
  for (const row of found) {
    const column = table.columns.find(({ name, kind }) => kind === "time" && row[name] === ODD);
    if (column === undefined) rows.push(table.columns.map(({ name }) => row[name]!));
    else odd.push(oddTime(table, row, column));
  }
  return { rows, odd };
}

function oddTime({ name, key }: Table, row: FoundRow, column: Column): OddValue {
  const reason = "is no time between the years 1 and 9999";
  return { table: name, where: `${key} = ${row[key]}`, column: column.name, reason };
}
