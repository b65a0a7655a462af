/** The limiter of one process: an exact sliding window log, in memory. */

import type { MonotonicClock } from "../base/clock.ts";
import type { Admission, Limiter } from "./limiter.ts";

/** The places for times that a client's log begins with; it doubles them when it needs more. */
const FIRST_PLACES = 16;

/** How many idle clients one decision drops at most: many at once would keep everybody waiting. */
const DROPPED_AT_ONCE = 1000;

/**
 * Admits at most `limit` requests of a client in any `window` milliseconds. A rejected request
 * leaves no trace, so that a client that keeps trying does not wait longer. Memory is bounded by
 * the clients that were admitted within the last window: the others are dropped by decisions on
 * whoever comes.
 */
export class SlidingWindow implements Limiter {
  readonly limit: number;
  readonly window: number;
  readonly #now: MonotonicClock;
  /** By client; clients in the order of their last admission. */
  readonly #logs = new Map<string, AdmissionLog>();

  constructor(options: { limit: number; window: number; now: MonotonicClock }) {
    this.limit = options.limit;
    this.window = options.window;
    this.#now = options.now;
  }

  /** The number of clients held in memory. */
  get clients(): number {
    return this.#logs.size;
  }

  admit(client: string): Admission {
    const now = this.#now();
    const horizon = now - this.window;
    this.#dropIdle(horizon);
    const log = this.#logs.get(client) ?? new AdmissionLog(this.limit);
    log.forget(horizon);
    const admitted = log.size < this.limit;
    if (admitted) {
      log.add(now);
      this.#logs.delete(client);
      this.#logs.set(client, log);
    }
    const remaining = this.limit - log.size;
    const resetIn = log.oldest - horizon;
    return { admitted, remaining, resetIn, retryIn: remaining > 0 ? 0 : resetIn };
  }

  /** Takes back the newest admission of a client, as if it had not been asked for. */
  withdraw(client: string): void {
    const log = this.#logs.get(client);
    log?.drop();
    if (log?.size === 0) this.#logs.delete(client);
  }

  #dropIdle(horizon: number): void {
    let left = DROPPED_AT_ONCE;
    for (const [client, log] of this.#logs) {
      if (log.newest > horizon || left-- === 0) return;
      this.#logs.delete(client);
    }
  }
}

/** The times of the admissions of one client, oldest first, in a ring of at most `limit` places. */
class AdmissionLog {
  readonly #limit: number;
  #times: Float64Array;
  #first = 0;
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
    this.#times = new Float64Array(Math.min(FIRST_PLACES, limit));
  }

  get size(): number {
    return this.#size;
  }

  get oldest(): number {
    return this.#at(0);
  }

  get newest(): number {
    return this.#at(this.#size - 1);
  }

  /** Takes a time that is not before the newest one; there must be fewer than `limit`. */
  add(time: number): void {
    if (this.#size === this.#times.length) this.#grow();
    this.#times[(this.#first + this.#size) % this.#times.length] = time;
    this.#size++;
  }

  /** Drops the newest time. */
  drop(): void {
    if (this.#size > 0) this.#size--;
  }

  /** Drops what is not after `horizon`, found by halving: a window may have a hundred thousand. */
  forget(horizon: number): void {
    let low = 0;
    for (let high = this.#size; low < high;) {
      const middle = (low + high) >>> 1;
      if (this.#at(middle) <= horizon) low = middle + 1;
      else high = middle;
    }
    this.#first = (this.#first + low) % this.#times.length;
    this.#size -= low;
  }

  #at(place: number): number {
    return this.#times[(this.#first + place) % this.#times.length]!;
  }

  #grow(): void {
    const grown = new Float64Array(Math.min(this.#times.length * 2, this.#limit));
    for (let place = 0; place < this.#size; place++) grown[place] = this.#at(place);
    this.#times = grown;
    this.#first = 0;
  }
}
