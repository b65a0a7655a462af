/** What commands print: tables for people, JSON for programs, colour only where it is wanted. */

import { isoTime } from "../base/clock.ts";

/** Where a command prints to. */
export interface Output {
  /** Writes text and a newline to standard output. */
  print(text: string): void;
  /** Emphasis, where the reader is a terminal that has not refused it (`NO_COLOR`). */
  strong(text: string): string;
}

/** The process's standard output. A reader that has gone away (`| head`) ends the process. */
export function standardOutput(): Output {
  const isColoured = Deno.stdout.isTerminal() && !Deno.noColor;
  return {
    print(text) {
      const bytes = new TextEncoder().encode(`${text}\n`);
      try {
        for (let written = 0; written < bytes.length;) {
          written += Deno.stdout.writeSync(bytes.subarray(written));
        }
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
        throw error;
      }
    },
    strong: (text) => isColoured ? `\x1b[1m${text}\x1b[22m` : text,
  };
}

/** Prints rows as JSON or as a table; `columns` gives each row's cells by their heading. */
export function printRows<Row>(
  output: Output,
  rows: readonly Row[],
  { json, columns, isStrong, empty }: {
    json: boolean | undefined;
    columns: Record<string, (row: Row) => string>;
    isStrong?: (row: Row) => boolean;
    /** Said instead of a table without rows. */
    empty: string;
  },
): void {
  if (json) return output.print(JSON.stringify(rows, null, 2));
  if (rows.length === 0) return output.print(empty);
  const headings = Object.keys(columns);
  const cells = rows.map((row) => headings.map((heading) => columns[heading]!(row)));
  const widths = headings.map((heading, i) =>
    cells.reduce((width, line) => Math.max(width, line[i]!.length), heading.length)
  );
  const align = (line: readonly string[]) =>
    line.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd();
  output.print(align(headings));
  cells.forEach((line, i) => {
    output.print(isStrong?.(rows[i]!) ? output.strong(align(line)) : align(line));
  });
}

/** A time in seconds since the epoch, for people: `2026-11-22 02:41:38Z`. */
export function formatTime(seconds: number): string {
  return isoTime(seconds).slice(0, 19).replace("T", " ") + "Z";
}
