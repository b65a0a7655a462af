/** The README, read once for all of its tests. */

import { readDocument, type Table } from "./document.ts";

/** The directory of the README, with a slash at the end. */
export const ROOT = new URL("../../", import.meta.url);

export const README = readDocument(await Deno.readTextFile(new URL("README.md", ROOT)));

/** The rows of the one table whose first column has this heading. @throws {Error} */
export function rowsOf(column: string): string[][] {
  const tables: Table[] = README.tables.filter(({ columns }) => columns[0] === column);
  if (tables.length !== 1) throw new Error(`${tables.length} tables begin with ${column}`);
  return tables[0]!.rows;
}
