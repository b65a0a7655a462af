/** Costly work in turns: as much at a time as the machine has cores for, and nobody first. */

import type { MonotonicClock } from "../base/clock.ts";
import { DomainError } from "../base/errors.ts";

export interface FairQueueOptions {
  /** Works that run at the same time; one a core keeps memory and latency flat. */
  concurrency: number;
  /** For how long one that is admitted may take until it is done, in milliseconds. */
  patience: number;
  /** The longest the queue gets, however quick the work is. */
  capacity: number;
  now: MonotonicClock;
  /** Is told of each work that begins for how many milliseconds it has waited. */
  onStart?: ((waited: number) => void) | undefined;
}

/** Work that waits for its turn. */
interface Waiting {
  since: number;
  start: () => void;
  refuse: (error: DomainError) => void;
}

/** How long a work is expected to take before one was measured, in milliseconds. */
const FIRST_GUESS = 100;

/** How much the newest work counts in the mean of how long a work takes. */
const WEIGHT = 0.1;

/**
 * Runs works of several owners. Owners take turns, so that who has one work to do waits for at most
 * one of each other. The queue is only as long as can be done within `patience`, by how long works
 * took lately; one that has waited for longer all the same is refused. When it is full, whoever has more in it than the newcomer gives up its last one:
 * nobody is kept out by one owner who fills it.
 */
export class FairQueue {
  readonly #options: FairQueueOptions;
  /** What waits, by owner, the owner whose turn is next first; none is empty. */
  readonly #waiting = new Map<string, Waiting[]>();
  #size = 0;
  #running = 0;
  #refusals = 0;
  /** How long a work takes, in milliseconds. */
  #duration = FIRST_GUESS;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  /** How many works wait. */
  get size(): number {
    return this.#size;
  }

  /** How many works were refused so far. */
  get refusals(): number {
    return this.#refusals;
  }

  /**
   * Runs `work` when it is the turn of `owner`.
   *
   * @throws {DomainError} `overloaded` when it could not be done in time. Whatever `work` throws.
   */
  async run<Result>(owner: string, work: () => Promise<Result>): Promise<Result> {
    const asked = this.#options.now();
    if (this.#running >= this.#options.concurrency) await this.#turn(owner);
    else this.#running++;
    const start = this.#options.now();
    this.#options.onStart?.(start - asked);
    try {
      return await work();
    } finally {
      this.#duration += WEIGHT * (this.#options.now() - start - this.#duration);
      this.#next();
    }
  }

  /** Resolves when a place is free for `owner`, which then has it. */
  #turn(owner: string): Promise<void> {
    const mine = this.#waiting.get(owner)?.length ?? 0;
    if (this.#size >= this.#capacity() && !this.#displace(mine + 1)) {
      return Promise.reject(this.#overloaded());
    }
    return new Promise((start, refuse) => {
      const queue = this.#waiting.get(owner) ?? [];
      queue.push({ since: this.#options.now(), start, refuse });
      this.#waiting.set(owner, queue);
      this.#size++;
    });
  }

  /** Hands the place that has become free to the owner whose turn it is. */
  #next(): void {
    for (let next = this.#shift(); next !== undefined; next = this.#shift()) {
      const waited = this.#options.now() - next.since;
      if (waited <= this.#options.patience) return next.start();
      next.refuse(this.#overloaded()); // works take longer by now than when it was admitted
    }
    this.#running--;
  }

  /** Takes the next work out of the queue; its owner goes behind all others. */
  #shift(): Waiting | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    const [owner, queue] = first;
    const next = queue.shift()!;
    this.#size--;
    this.#waiting.delete(owner);
    if (queue.length > 0) this.#waiting.set(owner, queue);
    return next;
  }

  /** Refuses the last work of an owner who has more than `count`; says whether there is one. */
  #displace(count: number): boolean {
    let most: Waiting[] = [];
    for (const queue of this.#waiting.values()) if (queue.length > most.length) most = queue;
    if (most.length <= count) return false;
    most.pop()!.refuse(this.#overloaded());
    this.#size--;
    return true;
  }

  /** How many may wait: the last of them is then done within the patience. */
  #capacity(): number {
    const { concurrency, patience, capacity } = this.#options;
    const inTime = Math.floor(concurrency * (patience / Math.max(this.#duration, 0.01) - 2));
    return Math.max(1, Math.min(capacity, inTime));
  }

  #overloaded(): DomainError {
    this.#refusals++;
    return new DomainError("overloaded", "Too many password checks are waiting", { retryAfter: 1 });
  }
}
