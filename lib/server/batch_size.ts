/** How many rows are changed in one transaction, so that nothing else waits for it. */

/** How long a batch may take before the next is smaller, and longer, in milliseconds. */
const LONG = 4;
const SHORT = 2;

/** The first batch is small: nothing that it needs is in memory yet. */
const FIRST = 16;
const MOST = 1000;

/**
 * Follows the time that batches take: half as many rows after a long one, a quarter more after a
 * short one.
 */
export class BatchSize {
  #rows = FIRST;

  get rows(): number {
    return this.#rows;
  }

  /** Takes note of what the last batch took, in milliseconds. */
  learn(elapsed: number): void {
    if (elapsed > LONG) this.#rows = Math.ceil(this.#rows / 2);
    else if (elapsed < SHORT) this.#rows = Math.min(MOST, Math.ceil(this.#rows * 1.25));
  }
}
