/** Where time comes from; passed in everywhere, so that tests move it instead of sleeping. */

/** The time of day, in milliseconds since the epoch. */
export type Clock = () => number;

/** A clock that never goes back, in milliseconds since some fixed moment. */
export type MonotonicClock = () => number;

/** A NumericDate as ISO 8601 text, in UTC. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** The NumericDate of RFC 7519 §2: whole seconds since the epoch. */
export function numericDate(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
