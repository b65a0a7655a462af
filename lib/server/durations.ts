/** Lengths of time, counted in buckets: a few additions each, whatever is counted. */

export class Durations {
  /** The upper bounds of the buckets, in seconds, in their order. */
  readonly bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  add(seconds: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && seconds > this.bounds[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.#sum += seconds;
  }

  /** All of them together, in seconds. */
  get sum(): number {
    return this.#sum;
  }

  /** How many are within each of the bounds, and last how many there are. */
  get cumulative(): number[] {
    let count = 0;
    return [...this.#counts].map((more) => count += more);
  }
}
