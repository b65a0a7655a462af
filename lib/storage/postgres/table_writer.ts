/** Rows appended to the tables of a PostgreSQL database, in one transaction. */

import { type Row, type Table, TABLES, type TableWriter } from "../tables.ts";
import { PostgresTableReader, TYPES } from "./table_reader.ts";

/** Writes in a transaction. */
export class PostgresTableWriter extends PostgresTableReader implements TableWriter {
  /** Keeps everybody else from writing before the end of the transaction. */
  async lock(): Promise<void> {
    const names = ["key_state", ...TABLES.map(({ name }) => name)];
    await this.statements.query(`LOCK TABLE ${names} IN SHARE ROW EXCLUSIVE MODE`);
  }

  /** A statement with one array for each column, however many rows there are. */
  async write({ name, columns }: Table, rows: readonly Row[]): Promise<void> {
    const arrays = columns.map(({ kind }, place) => `$${place + 1}::${TYPES[kind]}[]`);
    await this.statements.query(
      `INSERT INTO ${name} (${columns.map((column) => column.name)}) ` +
        `SELECT * FROM unnest(${arrays})`,
      columns.map((_, place) => rows.map((row) => row[place]!)),
    );
  }

  async setLastNumber({ name, key }: Table, number: string): Promise<void> {
    await this.statements.query(
      "SELECT setval(pg_get_serial_sequence($1, $2)::regclass, " +
        "greatest($3::bigint, 1), $3::bigint > 0)",
      [name, key, number],
    );
  }

  async setRevision(revision: number): Promise<void> {
    await this.statements.query("UPDATE key_state SET version = $1", [revision]);
  }
}
