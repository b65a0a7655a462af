/** Columns as other programs may have filled them: SQLite keeps any value in any column. */

import { parseTimestamp } from "../../base/clock.ts";

/** A column whose integers arrive as text when JavaScript cannot hold them. */
export function exact(column: string): string {
  const { MIN_SAFE_INTEGER: least, MAX_SAFE_INTEGER: most } = Number;
  return `CASE WHEN typeof(${column}) <> 'integer' OR ${column} BETWEEN ${least} AND ${most} ` +
    `THEN ${column} ELSE CAST(${column} AS TEXT) END`;
}

/** The time in such a column, in milliseconds since the epoch; `null` where there is none. */
export function timeIn(value: string | null): number | null {
  return value === null ? null : parseTimestamp(value) ?? null;
}

/** A column whose values arrive as text, whatever they are. */
export function text(column: string): string {
  return `CAST(${column} AS TEXT)`;
}

/**
 * A query for many rows as one for a single row, whose column `page` is the JSON of them all. Read
 * one by one, as the objects that `node:sqlite` makes, they take more memory than a listing may.
 */
export function asPage(columns: readonly string[], query: string): string {
  const members = columns.map((name) => `'${name}', ${name}`);
  return `SELECT json_group_array(json_object(${members})) AS page FROM (${query})`;
}

/** The rows of a page. */
export function pageOf<Row>(found: { page: string } | undefined): Row[] {
  return JSON.parse(found!.page);
}
