/** Values as they stand in a SQLite file, where any column may hold any. */

import { parseTimestamp } from "../../base/clock.ts";
import type { Column, ColumnKind, Value } from "../tables.ts";

/** How a kind is kept, and how its values are read; any other value arrives as a number. */
interface Form {
  storedAs: "integer" | "text" | "blob";
  read: (column: string) => string;
  /** What is wrong with a value of another kind. */
  reason: string;
}

const INTEGER = {
  storedAs: "integer",
  read: (column: string) => `CAST(${column} AS TEXT)`,
} as const;

/** As text, node:sqlite would end it at a NUL character, and replace what is not UTF-8. */
const TEXT = {
  storedAs: "text",
  read: (column: string) => `CAST(${column} AS BLOB)`,
} as const;

const FORMS: Record<ColumnKind, Form> = {
  integer: { ...INTEGER, reason: "is no integer" },
  user: { ...INTEGER, reason: "is no user's id" },
  text: { ...TEXT, reason: "is no text in UTF-8 without NUL characters" },
  bytes: { storedAs: "blob", read: (column) => column, reason: "is no bytes" },
  time: { ...TEXT, reason: "is no time of the form YYYY-MM-DD HH:MM:SS" },
};

/** An expression that gives the column's value in the form of its kind, and any other as 0. */
export function readColumn(table: string, { name, kind }: Column): string {
  const column = `${table}.${name}`;
  const { storedAs, read } = FORMS[kind];
  const isUser = kind === "user" ? ` AND ${column} IN (SELECT id FROM users)` : "";
  return `CASE WHEN ${column} IS NULL THEN NULL ` +
    `WHEN typeof(${column}) = '${storedAs}'${isUser} THEN ${read(column)} ELSE 0 END`;
}

/** A value as it was read; `undefined` for an odd one. */
export function toValue({ kind, isOptional }: Column, found: unknown): Value | undefined {
  if (found === null) return isOptional ? null : undefined;
  if (typeof found === "number") return undefined;
  if (kind === "integer" || kind === "user" || kind === "bytes") return found as Value;
  const text = textIn(found as Uint8Array);
  return kind === "text" || text === undefined || isTime(text) ? text : undefined;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textIn(bytes: Uint8Array): string | undefined {
  try {
    const text = utf8.decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

/** There is no year 0 in the calendar of SQL. */
function isTime(text: string): boolean {
  return parseTimestamp(text) !== undefined && !text.startsWith("0000");
}

/** What is wrong with an odd value, as it was read. */
export function reasonFor({ kind }: Column, found: unknown): string {
  return found === null ? "is missing" : FORMS[kind].reason;
}
