/**
 * Listings of any length: printed as they are read, a page at a time. Between two pages the event
 * loop has a turn, without which garbage piles up.
 */

import { setImmediate } from "node:timers/promises";
import { printableJson } from "../base/text.ts";
import type { Output } from "./output.ts";
import type { Screen } from "./screen.ts";
import { type Columns, Table } from "./table.ts";

/** Rows as they are read. */
export type Pages<Row> = AsyncIterable<readonly Row[]>;

/**
 * Prints a table. A terminal is given a screenful after the other, for as long as its reader wants
 * more.
 */
export async function printTable<Row>(
  output: Output,
  pages: Pages<Row>,
  { columns, empty }: {
    columns: Columns<Row>;
    /** Said instead of a table without rows. */
    empty: string;
  },
): Promise<void> {
  const table = new Table(columns);
  const ended = await printPages(output, linesOf(table, pages), output.screen);
  if (ended === "empty") output.print(empty);
}

async function* linesOf<Row>(table: Table<Row>, pages: Pages<Row>): Pages<string> {
  let isFirst = true;
  for await (const rows of pages) {
    const lines = table.lines(rows);
    yield isFirst ? [table.head, ...lines] : lines;
    isFirst = false;
  }
}

/** Prints lines as they come; says how it ended. */
export async function printPages(
  output: Output,
  pages: Pages<string>,
  screen: Screen | undefined,
): Promise<"empty" | "whole" | "enough"> {
  let room = screen?.height() ?? Infinity; // a line of it is for the question
  let isEmpty = true;
  for await (const lines of pages) {
    for (let at = 0; at < lines.length;) {
      if (room <= 1) {
        if (screen?.wantsMore() === false) return "enough";
        room = screen?.height() ?? Infinity;
      }
      const shown = lines.slice(at, at + Math.max(room - 1, 1));
      output.printLines(shown);
      at += shown.length;
      room -= shown.length;
    }
    isEmpty &&= lines.length === 0;
    await setImmediate();
  }
  return isEmpty ? "empty" : "whole";
}

/** Prints one JSON array of all rows, as `printJson` would with an indent of 2. */
export async function printJsonArray(output: Output, pages: Pages<unknown>): Promise<void> {
  let last: string | undefined; // the end of the row before, until it is known whether another comes
  for await (const rows of pages) {
    const lines: string[] = [];
    for (const row of rows) {
      lines.push(last === undefined ? "[" : `${last},`);
      const own = printableJson(row, 2).split("\n").map((line) => `  ${line}`);
      last = own.pop();
      lines.push(...own);
    }
    output.printLines(lines);
    await setImmediate();
  }
  output.printLines(last === undefined ? ["[]"] : [last, "]"]);
}
