/** Where time comes from; passed in everywhere, so that tests move it instead of sleeping. */

/** The time of day, in milliseconds since the epoch. */
export type Clock = () => number;

/** A clock that never goes back, in milliseconds since some fixed moment. */
export type MonotonicClock = () => number;

/** The longest time that a date can tell, in seconds since the epoch (ECMA-262, time values). */
const LATEST = 8.64e12;

/** A NumericDate as ISO 8601 text, in UTC; one beyond all dates as the number it is. */
export function isoTime(seconds: number): string {
  return Math.abs(seconds) <= LATEST ? new Date(seconds * 1000).toISOString() : `${seconds} s`;
}

/** The NumericDate of RFC 7519 §2: whole seconds since the epoch. */
export function numericDate(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

/** `milliseconds` since the epoch as SQL's `TIMESTAMP` text, in UTC: `YYYY-MM-DD HH:MM:SS`. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ");
}

/** The milliseconds since the epoch that such a text tells; `undefined` for one of another form. */
export function parseTimestamp(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text)) return undefined;
  const milliseconds = Date.parse(`${text.replace(" ", "T")}Z`);
  if (Number.isNaN(milliseconds)) return undefined;
  return timestamp(milliseconds) === text ? milliseconds : undefined; // 30 February is 2 March to it
}
