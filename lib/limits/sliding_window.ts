/** The rate limit's decision: an exact sliding window log, in memory. */

import type { MonotonicClock } from "../base/clock.ts";

/** Whether a request is admitted, and what its client may still do. Times are in milliseconds. */
export interface Admission {
  admitted: boolean;
  /** Requests that would still be admitted now. */
  remaining: number;
  /** Until a request would be admitted; 0 while some remain. */
  retryIn: number;
  /** Until the oldest counted request leaves the window. */
  resetIn: number;
}

/**
 * Admits at most `limit` requests of a client in any `window` milliseconds. A rejected request
 * leaves no trace, so that a client that keeps trying does not wait longer. Memory is bounded by
 * the clients that were admitted within the last window: the others are dropped as time passes.
 */
export class SlidingWindow {
  readonly limit: number;
  readonly window: number;
  readonly #now: MonotonicClock;
  /** Admission times, oldest first, by client; clients in the order of their last admission. */
  readonly #admissions = new Map<string, number[]>();

  constructor(options: { limit: number; window: number; now: MonotonicClock }) {
    this.limit = options.limit;
    this.window = options.window;
    this.#now = options.now;
  }

  /** The number of clients held in memory. */
  get clients(): number {
    return this.#admissions.size;
  }

  /** Decides on one request of `client` that arrives now. */
  admit(client: string): Admission {
    const now = this.#now();
    const horizon = now - this.window;
    this.#dropIdle(horizon);
    const times = this.#admissions.get(client) ?? [];
    while (times.length > 0 && times[0]! <= horizon) times.shift();
    const admitted = times.length < this.limit;
    if (admitted) {
      times.push(now);
      this.#admissions.delete(client);
      this.#admissions.set(client, times);
    }
    const remaining = this.limit - times.length;
    const resetIn = times[0]! - horizon;
    return { admitted, remaining, resetIn, retryIn: remaining > 0 ? 0 : resetIn };
  }

  #dropIdle(horizon: number): void {
    for (const [client, times] of this.#admissions) {
      if (times.at(-1)! > horizon) return;
      this.#admissions.delete(client);
    }
  }
}
