/** Everything that stands in one storage, copied into another, and compared. */

import { DomainError } from "../base/errors.ts";
import { OddValues } from "./odd_values.ts";
import { differences, summarize, type Summary, type TableSummary } from "./summary.ts";
import {
  type ReadTables,
  type TableReader,
  TABLES,
  type TableWriter,
  type WriteTables,
} from "./tables.ts";

/** What was copied. */
export interface Copied {
  tables: readonly TableSummary[];
  /** What stands in the source and was not copied, in words: others have added it. */
  left: readonly string[];
  /** Whether a server works on the source, which may have changed it since. */
  isServed: boolean;
}

export interface CopyOptions {
  onProgress?: OnProgress | undefined;
  /** How an operator empties the target. */
  howToEmpty?: string;
}

/** Is told that so many rows of all were copied, and then that so many were compared. */
export type OnProgress = (what: "copied" | "compared", done: number, total: number) => void;

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
  { onProgress = () => {}, howToEmpty }: CopyOptions = {},
): Promise<Copied> {
  return await target(async (writer) => {
    await assertEmpty(writer, howToEmpty);
    // It has ended before the rows are read again: a long snapshot costs a storage that is in use.
    const { summary, total, ...rest } = await source((reader) =>
      copyRows(reader, writer, onProgress)
    );
    let done = 0;
    const found = await summarize(writer, ({ rows }) => {
      onProgress("compared", done += rows.length, total);
    });
    assertSame(summary, found);
    return { tables: summary.tables, ...rest };
  });
}

async function assertEmpty(target: TableReader, howToEmpty: string | undefined): Promise<void> {
  const held: string[] = [];
  for (const table of TABLES) {
    const count = await target.count(table);
    if (count > 0) held.push(`${table.name} ${count}`);
  }
  if (held.length === 0) return;
  throw new DomainError("failed", `The target is not empty (rows: ${held.join(", ")})`, {
    hints: [
      "name a target without rows: a copy replaces nothing, and nothing was changed",
      ...howToEmpty === undefined ? [] : [howToEmpty],
    ],
  });
}

async function copyRows(reader: TableReader, writer: TableWriter, onProgress: OnProgress) {
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
  const [left, isServed] = [await reader.additions(), await reader.isServed()];
  return { summary, total, left, isServed };
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
  const differing = differences(written, found);
  if (differing.length === 0) return;
  throw new DomainError(
    "failed",
    `What the target keeps is not what was written to it: ${differing.join(", ")}`,
    { hints: ["see whether a trigger or a rule of its own changes rows; nothing was copied"] },
  );
}
