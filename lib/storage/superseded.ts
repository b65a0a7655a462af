/** How a transaction ends that cannot do what it was to do. */

/** What is asked for cannot be had, or what was read before is not so any more: it is rolled back. */
export class Superseded extends Error {}

/** @throws {Superseded} when it was not done. */
export function must(done: boolean): asserts done {
  if (!done) throw new Superseded();
}

/** What `work` gives; `undefined` when it was superseded. */
export async function unlessSuperseded<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Superseded) return undefined;
    throw error;
  }
}
