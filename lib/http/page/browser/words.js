// @ts-check
/** Times as people read them: for the browser, and for the server that draws the page. */

/** @type {[unit: string, seconds: number][]} */
const UNITS = [["year", 31_536_000], ["day", 86_400], ["hour", 3600], ["minute", 60]];

/**
 * A length of time in the largest unit of which there are two, rounded: `30 days`, `90 minutes`.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function lengthInWords(seconds) {
  for (const [unit, size] of UNITS) {
    if (seconds >= 2 * size) return `${Math.round(seconds / size)} ${unit}s`;
  }
  const count = Math.max(0, Math.floor(seconds));
  return count === 1 ? "1 second" : `${count} seconds`;
}

/**
 * A moment in UTC to the minute, `2026-12-22 10:15 UTC`; one beyond all dates (ECMA-262, time values)
 * as the number it is.
 *
 * @param {number} seconds since the epoch
 * @returns {string}
 */
export function momentInWords(seconds) {
  if (Math.abs(seconds) > 8.64e12) return `${seconds} s`;
  const iso = new Date(seconds * 1000).toISOString();
  return `${iso.slice(0, -8).replace("T", " ")} UTC`;
}

/**
 * Where a moment lies: `in 29 days`, `2 hours ago`.
 *
 * @param {number} seconds since the epoch
 * @param {number} now in the same
 * @returns {string}
 */
export function distanceInWords(seconds, now) {
  if (seconds === now) return "now";
  const length = lengthInWords(Math.abs(seconds - now));
  return seconds > now ? `in ${length}` : `${length} ago`;
}
