/** What commands print: tables for people, JSON for programs, colour only where it is wanted. */

import { isoTime } from "../base/clock.ts";
import type { Log, LogFields } from "../base/log.ts";
import { lowerFirst, printable, printableJson } from "../base/text.ts";
import type { ReadVariable } from "../server/config.ts";
import { Progress } from "./progress.ts";
import { findScreen, type Screen } from "./screen.ts";
import { type Columns, Table } from "./table.ts";

/** Where a command prints to. */
export interface Output {
  /** Writes a line to standard output; whatever else stands in it is made visible. */
  print(line: string): void;
  /** The same for many lines, in one piece. */
  printLines(lines: readonly string[]): void;
  /** The same for JSON, over several lines with an `indent`. */
  printJson(value: unknown, indent?: number): void;
  /** Writes a file of this program's own, byte for byte. */
  printFile(text: string): void;
  /** A line with emphasis, where the reader is a terminal that has not refused it (`NO_COLOR`). */
  printStrong(line: string): void;
  /** The terminal, when a person sits at it who may be asked whether to go on. */
  screen: Screen | undefined;
  /** Says how far the command is; whatever is printed takes its line away first. */
  progress: Progress;
  /** Says what matters beside the output, on standard error. */
  log: Log;
  /** What standard error leads to. */
  stderr: Reader;
}

/** Who reads a stream. */
export interface Reader {
  /** A person at a terminal; else a program, or a file. */
  isTerminal: boolean;
  /** A terminal that has not refused colour (`NO_COLOR`) and knows it. */
  isColoured: boolean;
}

/** The process's standard output. A reader that has gone away (`| head`) ends the process. */
export function standardOutput(env: ReadVariable): Output {
  const { isColoured } = readerOf(Deno.stdout, env);
  const progress = new Progress({
    write: Deno.stderr.isTerminal() ? (text) => writeAll(Deno.stderr, text) : undefined,
    now: () => performance.now(),
  });
  const writeText = (text: string) => {
    progress.clear();
    try {
      writeAll(Deno.stdout, text);
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
      throw error;
    }
  };
  const write = (line: string) => writeText(`${line}\n`);
  return {
    print: (line) => write(printable(line)),
    printLines: (lines) => void (lines.length > 0 && write(lines.map(printable).join("\n"))),
    printJson: (value, indent) => write(printableJson(value, indent)),
    printFile: writeText,
    printStrong: (line) =>
      write(isColoured ? `\x1b[1m${printable(line)}\x1b[22m` : printable(line)),
    screen: findScreen(),
    progress,
    log: createWarnings((line) => {
      progress.clear();
      writeError(line);
    }),
    stderr: readerOf(Deno.stderr, env),
  };
}

function readerOf(stream: { isTerminal(): boolean }, env: ReadVariable): Reader {
  const isTerminal = stream.isTerminal();
  return { isTerminal, isColoured: isTerminal && !Deno.noColor && !isDumb(env) };
}

/** Whether the terminal says that it knows no more than text. */
function isDumb(env: ReadVariable): boolean {
  try {
    return env("TERM") === "dumb";
  } catch {
    return true; // what is no text names no terminal
  }
}

/** Writes a line to standard error. */
export function writeError(line: string): void {
  writeAll(Deno.stderr, `${printable(line)}\n`);
}

/** What is written passes through here: bytes of its own for each piece would pile up. */
const BUFFER = new Uint8Array(16_384);

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const encoder = new TextEncoder();
  for (let from = 0; from < text.length;) {
    const { read, written: length } = encoder.encodeInto(text.slice(from), BUFFER);
    from += read;
    for (let written = 0; written < length;) {
      written += stream.writeSync(BUFFER.subarray(written, length));
    }
  }
}

/** A log for people: warnings and errors as lines of the program's own form, the rest unsaid. */
export function createWarnings(write: (line: string) => void): Log {
  const warn = (message: string, fields: LogFields = {}) => {
    const details = Object.entries(fields).filter(([name]) => name !== "stack")
      .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join("; ") : value}`);
    const suffix = details.length === 0 ? "" : ` (${details.join(", ")})`;
    write(`jwks-server: warning: ${lowerFirst(message)}${suffix}`);
  };
  return { debug() {}, info() {}, warn, error: warn };
}

/** Prints rows as JSON or as a table; `columns` gives each row's cells by their heading. */
export function printRows<Row>(
  output: Output,
  rows: readonly Row[],
  { json, columns, isStrong, empty }: {
    json: boolean | undefined;
    columns: Columns<Row>;
    isStrong?: (row: Row) => boolean;
    /** Said instead of a table without rows. */
    empty: string;
  },
): void {
  if (json) return output.printJson(rows, 2);
  if (rows.length === 0) return output.print(empty);
  const table = new Table(columns);
  const lines = table.lines(rows);
  output.print(table.head);
  lines.forEach((line, i) => {
    if (isStrong?.(rows[i]!)) output.printStrong(line);
    else output.print(line);
  });
}

/** A time in seconds since the epoch, for people: `2026-11-22 02:41:38Z`. */
export function formatTime(seconds: number): string {
  return isoTime(seconds).replace(/^(\d{4,}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\.\d{3}Z$/, "$1 $2Z");
}
