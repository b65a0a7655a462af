/** How many rows are changed in one transaction, so that nothing else waits for it. */

/**
 * Above how long a batch has to be for the next to be smaller, and below for it to be larger, in
 * milliseconds. When a write-ahead log is written into its file, that comes to a batch as well.
 */
const LONG = 2;
const SHORT = 1;

/** Fewer rows take no less time: the commit itself does. */
const LEAST = 16;
const MOST = 1000;

/**
 * Follows the time that batches take: half as many rows after a long one, a quarter more after a
 * short one.
 */
export class BatchSize {
  #rows = LEAST; // at first nothing that is needed is in memory

  get rows(): number {
    return this.#rows;
  }

  /** Takes note of what the last batch took, in milliseconds. */
  learn(elapsed: number): void {
    if (elapsed > LONG) this.#rows = Math.max(LEAST, Math.ceil(this.#rows / 2));
    else if (elapsed < SHORT) this.#rows = Math.min(MOST, Math.ceil(this.#rows * 1.25));
  }
}
