/** Columns and values of PostgreSQL as this program knows them. */

import { numericDate } from "../../base/clock.ts";
import type { Value } from "./values.ts";

/** The first and the last second of the years that have four digits: what all engines can tell. */
const FIRST = "0001-01-01 00:00:00";
const LAST = "9999-12-31 23:59:59";

/** Whether a column holds a time as this program writes it: neither `infinity` nor beyond all dates. */
export function isTime(column: string): string {
  return `(${column} BETWEEN '${FIRST}' AND '${LAST}')`;
}

/** Whether it holds none: two conditions for a search in an index, beside that of a time since one. */
export function isNoTimeBefore(column: string): string {
  return `${column} < '${FIRST}' OR ${column} IS NULL`;
}

/** The time in a column, in seconds since the epoch; NULL where there is none. */
export function secondsIn(column: string): string {
  return `CASE WHEN ${isTime(column)} THEN extract(epoch FROM ${column})::bigint END`;
}

/** What else stands in such a column, as text in one form, whatever the session's DateStyle is. */
export function oddTimeIn(column: string): string {
  return `CASE WHEN ${isTime(column)} IS NOT TRUE ` +
    `THEN coalesce(to_json(${column}) #>> '{}', 'null') END`;
}

/** A time that is bound as seconds since the epoch, as these columns hold it: UTC, without a zone. */
export function timeAt(place: string): string {
  return `(to_timestamp(${place}::bigint) AT TIME ZONE 'UTC')`;
}

const FIRST_SECOND = numericDate(Date.parse(`${FIRST.replace(" ", "T")}Z`));
const LAST_SECOND = numericDate(Date.parse(`${LAST.replace(" ", "T")}Z`));

/** What to bind for a time in milliseconds since the epoch; the nearest that such a column tells. */
export function toSeconds(milliseconds: number): number {
  return Math.min(Math.max(numericDate(milliseconds), FIRST_SECOND), LAST_SECOND);
}

/** Milliseconds since the epoch, of seconds as they are read. */
export function toMilliseconds(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000;
}

/**
 * A value as PostgreSQL can hold it: no text of its has a NUL. In its place stands U+FFFD, as it does
 * for what else is no character, so that a name with one is nobody's.
 */
export function bindable(value: Value): Value {
  if (typeof value === "string") return value.replaceAll("\0", "\ufffd");
  return Array.isArray(value) ? value.map(bindable) : value;
}
