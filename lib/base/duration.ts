/** Lengths of time as people write them: `30s`, `5m`, `24h`, `30d`, `2w`, `1y`. */

const SECONDS: Record<string, number> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  y: 31_536_000,
};

/** The number of seconds in `text`, or `undefined` when it is not a duration. A year has 365 days. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,9})([smhdwy])$/.exec(text) ?? [];
  return amount && unit ? Number(amount) * SECONDS[unit]! : undefined;
}

/** `seconds` (whole) in the largest unit that divides it, so that `parseDuration` gives it back. */
export function formatDuration(seconds: number): string {
  for (const unit of ["d", "h", "m"]) {
    if (seconds > 0 && seconds % SECONDS[unit]! === 0) return `${seconds / SECONDS[unit]!}${unit}`;
  }
  return `${seconds}s`;
}
