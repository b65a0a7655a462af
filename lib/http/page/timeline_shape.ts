/** Where the lives of keys lie on a time axis: numbers only, in percent of its width. */

import type { KeyLife } from "./key_lives.ts";

/** A stretch of time, in seconds since the epoch. */
export interface Span {
  start: number;
  end: number;
}

/** A part of a bar. */
export interface Segment {
  phase: "announced" | "signs" | "verifies";
  x: number;
  width: number;
}

export interface Tick {
  x: number;
  label: string;
}

/** The narrowest part of a bar that can be seen. */
const LEAST_WIDTH = 0.6;

/** The ticks of an axis at most. */
const MOST_TICKS = 8;

const DAY = 86_400;

/** How far ticks may lie apart, in seconds. */
const STEPS = [
  ...[60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600],
  ...[1, 2, 7, 14, 28, 91, 182, 364, 728, 1820].map((days) => days * DAY),
];

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The time to show: one rotation and more ahead, and of what was before at most a half. */
export function spanAround(now: number, rotation: number, earliest: number): Span {
  const past = Math.min(Math.max(now - earliest, rotation * 0.06), rotation / 2);
  return { start: Math.floor(now - past), end: Math.ceil(now + rotation * 1.6) };
}

/** The place of a moment; outside the span, its nearer end. */
export function placeOf(moment: number, { start, end }: Span): number {
  return 100 * Math.min(1, Math.max(0, (moment - start) / (end - start)));
}

/** The parts of a key's bar that lie within the span. */
export function segmentsOf(life: KeyLife, span: Span): Segment[] {
  const { publishedAt, signFrom, signUntil, leavesAt } = life;
  const from = (moment: number) => Math.max(publishedAt, moment);
  const phases = [
    { phase: "announced", start: publishedAt, end: from(signFrom) },
    { phase: "signs", start: from(signFrom), end: from(signUntil) },
    { phase: "verifies", start: from(signUntil), end: leavesAt },
  ] as const;
  return phases
    .filter(({ start, end }) => start < end && start < span.end && span.start < end)
    .map(({ phase, start, end }) => {
      const [left, right] = [placeOf(start, span), placeOf(end, span)];
      const width = Math.max(LEAST_WIDTH, right - left);
      return { phase, x: Math.min(left, 100 - width), width };
    });
}

/** Moments of the calendar in UTC, a few of them. */
export function ticksOf(span: Span): Tick[] {
  const length = span.end - span.start;
  const step = STEPS.find((step) => length / step <= MOST_TICKS) ?? length / MOST_TICKS;
  const ticks: Tick[] = [];
  for (let at = Math.ceil(span.start / step) * step; at < span.end; at += step) {
    ticks.push({ x: placeOf(at, span), label: labelOf(at, step) });
  }
  return ticks;
}

/** Where there are several days, a time of day is that of the date before it. */
function labelOf(at: number, step: number): string {
  const date = new Date(at * 1000);
  const month = MONTHS[date.getUTCMonth()]!;
  if (at % DAY !== 0 && step < DAY) return date.toISOString().slice(11, 16);
  return step < 91 * DAY ? `${date.getUTCDate()} ${month}` : `${month} ${date.getUTCFullYear()}`;
}
