/** How many rows are changed in one transaction, so that nothing else waits for it. */

export interface BatchBounds {
  /** Above how long a batch has to be for the next to be smaller, in milliseconds. */
  long: number;
  /** Below how long for it to be larger. */
  short: number;
  /** Fewer rows take no less time: the commit itself does. */
  least: number;
  most: number;
}

/**
 * In this process a batch holds up everything else; and when a write-ahead log is written into its
 * file, that comes to a batch as well.
 */
export const IN_PROCESS: BatchBounds = { long: 2, short: 1, least: 16, most: 1000 };

/**
 * On a server of its own others go on beside it. There a batch takes time before its first row: on
 * the way there, and past the rows that batches before it have left to the vacuum.
 */
export const ON_SERVER: BatchBounds = { long: 50, short: 25, least: 1000, most: 10_000 };

/**
 * Follows the time that batches take: half as many rows after a long one, a quarter more after a
 * short one.
 */
export class BatchSize {
  readonly #bounds: BatchBounds;
  #rows: number;

  constructor(bounds: BatchBounds) {
    this.#bounds = bounds;
    this.#rows = bounds.least; // at first nothing that is needed is in memory
  }

  get rows(): number {
    return this.#rows;
  }

  /** Takes note of what the last batch took, in milliseconds. */
  learn(elapsed: number): void {
    const { long, short, least, most } = this.#bounds;
    if (elapsed > long) this.#rows = Math.max(least, Math.ceil(this.#rows / 2));
    else if (elapsed < short) this.#rows = Math.min(most, Math.ceil(this.#rows * 1.25));
  }
}
