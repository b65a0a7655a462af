/** The log as a person at a terminal reads it: time, level, message, fields. */

import type { LogEntry, LogFields, LogFormat, LogLevel } from "./log.ts";
import { printable, printableJson } from "./text.ts";

/** How each level is emphasised: SGR parameters (ECMA-48 §8.3.117). */
const EMPHASIS: Record<LogLevel, number> = { debug: 2, info: 32, warn: 33, error: 31 };
const FAINT = 2;

/** The widest level, so that messages stand below each other. */
const LEVEL_WIDTH = 5;

/** What stands before each line of a stack. */
const INDENT = "    ";

/** Makes the format; with colour only for a terminal that wants it. */
export function createTextFormat({ isColoured }: { isColoured: boolean }): LogFormat {
  const paint = (emphasis: number, text: string) =>
    isColoured ? `\x1b[${emphasis}m${text}\x1b[0m` : text;
  return function formatText({ time, level, message, fields }: LogEntry): string {
    const line = [
      paint(FAINT, timeOf(time)),
      paint(EMPHASIS[level], level.toUpperCase().padEnd(LEVEL_WIDTH)),
      printable(message),
      ...pairs(fields).map(([name, value]) => `${paint(FAINT, `${name}=`)}${value}`),
    ].join(" ");
    return [line, ...stackLines(fields).map((own) => paint(FAINT, own))].join("\n");
  };
}

/** In UTC, as in every listing and in the database: `2026-11-22 02:41:38Z`. */
function timeOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

function pairs({ stack: _, ...fields }: LogFields): (readonly [string, string])[] {
  return Object.entries(fields).map(([name, value]) => [printable(name), valueOf(value)]);
}

/** As it is, or as JSON where it could not be told from what follows or would be obeyed. */
function valueOf(value: LogFields[string]): string {
  if (typeof value !== "string") return printableJson(value);
  return /^[^\s"=]+$/.test(value) && printable(value) === value ? value : printableJson(value);
}

/** Where an error came from, a call a line; what stands above, its name and message, are fields. */
function stackLines({ stack }: LogFields): string[] {
  if (typeof stack !== "string") return [];
  return stack.split("\n").filter((line) => /^\s+at /.test(line))
    .map((line) => `${INDENT}${printable(line.trim())}`);
}
