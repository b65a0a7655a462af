/** Rows appended to the tables of a SQLite database, in one transaction. */

import type { Row, Table, TableWriter } from "../tables.ts";
import { writeRevision } from "./meta.ts";
import { SqliteTableReader } from "./table_reader.ts";

/** Writes over a connection that is in a transaction. */
export class SqliteTableWriter extends SqliteTableReader implements TableWriter {
  write({ name, columns }: Table, rows: readonly Row[]): void {
    const names = columns.map((column) => column.name);
    const values = columns.map(({ kind }) =>
      kind === "integer" || kind === "user" ? "CAST(? AS INTEGER)" : "?"
    );
    const sql = `INSERT INTO ${name} (${names}) VALUES (${values})`;
    for (const row of rows) this.connection.run(sql, ...row);
  }

  setLastNumber({ name }: Table, number: string): void {
    this.connection.run("DELETE FROM sqlite_sequence WHERE name = ?", name);
    const sql = "INSERT INTO sqlite_sequence (name, seq) VALUES (?, CAST(? AS INTEGER))";
    this.connection.run(sql, name, number);
  }

  setRevision(revision: number): void {
    writeRevision(this.connection, revision);
  }
}
