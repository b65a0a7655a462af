/** How values are taken, and what is said of many. */

/** Takes one value. */
export type Take = () => number | Promise<number>;

/**
 * Takes values of two sides in turns, so that a noisy machine disturbs both alike, after one round
 * in which they warm up.
 */
export async function inTurns(
  rounds: number,
  one: Take,
  other: Take,
): Promise<[number[], number[]]> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = -1; round < rounds; round++) {
    const [left, right] = [await one(), await other()];
    if (round < 0) continue;
    ours.push(left);
    theirs.push(right);
  }
  return [ours, theirs];
}

/** How long `work` takes, in milliseconds. */
export async function duration(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which a share of the values lies, between two of them if need be. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return below + (above - below) * (place % 1);
}
