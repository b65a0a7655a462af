/** How values are taken, and what is said of many. */

/** Takes one value. */
export type Take = () => number | Promise<number>;

/**
 * Takes values of several sides in turns, so that a noisy machine disturbs all alike, after one
 * round in which they warm up.
 */
export async function inTurns<Sides extends Take[]>(
  rounds: number,
  ...sides: Sides
): Promise<{ [Side in keyof Sides]: number[] }> {
  const values = sides.map(() => [] as number[]);
  for (let round = -1; round < rounds; round++) {
    for (const [place, take] of sides.entries()) {
      const value = await take();
      if (round >= 0) values[place]!.push(value);
    }
  }
  return values as { [Side in keyof Sides]: number[] };
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
