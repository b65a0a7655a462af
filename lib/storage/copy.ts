/** Everything that stands in one storage, copied into another, and compared. */

import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { DomainError } from "../base/errors.ts";
import {
  type OddValue,
  type Page,
  type ReadTables,
  type Row,
  type Table,
  type TableReader,
  TABLES,
  type TableWriter,
  type WriteTables,
} from "./tables.ts";

/** How many odd values are named when there are more. */
const NAMED = 5;

/** What stands in a table. */
export interface TableSummary {
  name: string;
  rows: number;
  /** SHA-256 over the rows in the order of the key, in hexadecimal. */
  digest: string;
  /** The greatest number that a row was ever given, in a table that numbers them. */
  lastNumber: string | undefined;
}

/** What was copied. */
export interface Copied {
  tables: readonly TableSummary[];
  /** What stands in the source and was not copied, in words: others have added it. */
  left: readonly string[];
}

/** What stands in a storage. */
interface Summary {
  tables: readonly TableSummary[];
  revision: number;
}

export interface CopyOptions {
  /** Is told that so many rows of all were copied, and then that so many were compared. */
  onProgress?: (what: "copied" | "compared", done: number, total: number) => void;
}

/**
 * Copies every table. What was written is read again before it is kept.
 *
 * @throws {DomainError} `failed` when the target is not empty, the source holds what cannot be copied,
 * or what was read again is not what was written; whatever the storages throw. The target is then
 * left as it was.
 */
export async function copyTables(
  source: ReadTables,
  target: WriteTables,
  { onProgress = () => {} }: CopyOptions = {},
): Promise<Copied> {
  return await target(async (writer) => {
    await assertEmpty(writer);
    // Ended before the rows are read again: a long snapshot costs a storage that is in use.
    const { summary, total, left } = await source((reader) => copyRows(reader, writer, onProgress));
    let done = 0;
    const found = await summarize(writer, ({ rows }) => {
      onProgress("compared", done += rows.length, total);
    });
    assertSame(summary, found);
    return { tables: summary.tables, left };
  });
}

async function assertEmpty(target: TableReader): Promise<void> {
  const held: string[] = [];
  for (const table of TABLES) {
    const count = await target.count(table);
    if (count > 0) held.push(`${table.name} ${count}`);
  }
  if (held.length === 0) return;
  throw new DomainError("failed", `The target is not empty (rows: ${held.join(", ")})`, {
    hints: ["name a target without rows: a copy replaces nothing, and nothing was changed"],
  });
}

async function copyRows(
  reader: TableReader,
  writer: TableWriter,
  onProgress: NonNullable<CopyOptions["onProgress"]>,
): Promise<{ summary: Summary; total: number; left: readonly string[] }> {
  const counts = await Array.fromAsync(TABLES, (table) => reader.count(table));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const odd = new OddValues();
  let done = 0;
  const summary = await summarize(reader, async (page, table) => {
    odd.add(page.odd);
    // Once something is wrong, what is still to come is only looked at.
    if (odd.count === 0) await writer.write(table, page.rows);
    onProgress("copied", done += page.rows.length + page.odd.length, total);
  });
  odd.assertNone();
  assertComplete(counts, summary);
  for (const [index, { lastNumber }] of summary.tables.entries()) {
    if (lastNumber !== undefined) await writer.setLastNumber(TABLES[index]!, lastNumber);
  }
  await writer.setRevision(summary.revision);
  return { summary, total, left: await reader.additions() };
}

/** Reads everything, a page at a time, and tells what it is. */
async function summarize(
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

/** An index that is damaged leads past rows. */
function assertComplete(counts: readonly number[], { tables }: Summary): void {
  const index = tables.findIndex(({ rows }, index) => rows !== counts[index]);
  if (index === -1) return;
  const { name, rows } = tables[index]!;
  throw new DomainError(
    "failed",
    `The table ${name} has ${counts[index]} rows, and ${rows} were found: the database is damaged`,
    { hints: ["jwks-server doctor says more; nothing was copied"] },
  );
}

function assertSame(written: Summary, found: Summary): void {
  const differing = written.tables.filter((table, index) =>
    JSON.stringify(table) !== JSON.stringify(found.tables[index])
  ).map(({ name }) => name);
  if (written.revision !== found.revision) differing.push("the number of changes of the keys");
  if (differing.length === 0) return;
  throw new DomainError(
    "failed",
    `What the target keeps is not what was written to it: ${differing.join(", ")}`,
    { hints: ["see whether a trigger or a rule of its own changes rows; nothing was copied"] },
  );
}

/** The values that cannot be copied: their number, and the first of them. */
class OddValues {
  count = 0;
  readonly #first: OddValue[] = [];

  add(values: readonly OddValue[]): void {
    this.count += values.length;
    this.#first.push(...values.slice(0, NAMED - this.#first.length));
  }

  /** @throws {DomainError} `failed` when there are any. */
  assertNone(): void {
    if (this.count === 0) return;
    const named = this.#first.map(({ table, where, column, reason }) =>
      `${table} WHERE ${where}: ${column} ${reason}`
    );
    const others = this.count - named.length;
    const [rows, them, these] = this.count === 1
      ? ["A row", "it", "the row"]
      : [`${this.count} rows`, "them", "these rows"];
    throw new DomainError("failed", `${rows} cannot be copied: another program wrote ${them}`, {
      hints: [
        ...named,
        ...others > 0 ? [`and ${others} more`] : [],
        `correct ${these} or delete ${them}, and copy again; nothing was copied`,
      ],
    });
  }
}
