/** Rows as lines of a table, a page at a time. */

import { printable } from "../base/text.ts";

/** Each row's cells by their heading. */
export type Columns<Row> = Record<string, (row: Row) => string>;

/** As wide as what was in it so far: a row that comes later may widen the rest. */
export class Table<Row> {
  readonly #columns: Columns<Row>;
  readonly #widths: number[];

  constructor(columns: Columns<Row>) {
    this.#columns = columns;
    this.#widths = Object.keys(columns).map((heading) => heading.length);
  }

  /** The headings, once the first rows have given them their places. */
  get head(): string {
    return this.#align(Object.keys(this.#columns));
  }

  lines(rows: readonly Row[]): string[] {
    const read = Object.values(this.#columns);
    const cells = rows.map((row) => read.map((cell) => printable(cell(row))));
    for (const line of cells) {
      line.forEach((cell, i) => this.#widths[i] = Math.max(this.#widths[i]!, cell.length));
    }
    return cells.map((line) => this.#align(line));
  }

  #align(line: readonly string[]): string {
    return line.map((cell, i) => cell.padEnd(this.#widths[i]!)).join("  ").trimEnd();
  }
}
