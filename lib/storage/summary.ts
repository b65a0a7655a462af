/** What stands in a storage, in a few numbers by which two storages are compared. */

import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { type Page, type Row, type Table, type TableReader, TABLES } from "./tables.ts";

/** What stands in a table. */
export interface TableSummary {
  name: string;
  rows: number;
  /** SHA-256 over the rows in the order of the key, in hexadecimal. */
  digest: string;
  /** The greatest number that a row was ever given, in a table that numbers them. */
  lastNumber: string | undefined;
}

export interface Summary {
  tables: readonly TableSummary[];
  /** The number of changes of the keys. */
  revision: number;
}

/** Reads everything, hands it on a page at a time, and tells what it is. Odd values do not count. */
export async function summarize(
  reader: TableReader,
  onPage: (page: Page, table: Table) => void | Promise<void>,
): Promise<Summary> {
  const tables: TableSummary[] = [];
  for (const table of TABLES) {
    const { name, isNumbered } = table;
    const digest = createHash("sha256");
    let rows = 0;
    for await (const page of reader.pages(table)) {
      rows += page.rows.length;
      for (const row of page.rows) addRow(digest, row);
      await onPage(page, table);
      await setImmediate(); // garbage piles up where the event loop never has a turn
    }
    const lastNumber = isNumbered ? await reader.lastNumber(table) : undefined;
    tables.push({ name, rows, digest: digest.digest("hex"), lastNumber });
  }
  return { tables, revision: await reader.revision() };
}

/** A row as a line of JSON, with bytes in hexadecimal: no two rows of a table have the same line. */
function addRow(digest: Hash, row: Row): void {
  const values = row.map((value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value
  );
  digest.update(`${JSON.stringify(values)}\n`);
}

/** In what two of them differ, in words. */
export function differences(one: Summary, other: Summary): string[] {
  const tables = one.tables.filter((table, index) =>
    JSON.stringify(table) !== JSON.stringify(other.tables[index])
  );
  return [
    ...tables.map(({ name }) => name),
    ...one.revision === other.revision ? [] : ["the number of changes of the keys"],
  ];
}
