/** How many connections the pool may have: fewer than it wants where the server takes no more. */

import type { MonotonicClock } from "../../base/clock.ts";

/** For how long no more are asked for than there are, in milliseconds: sessions may be about to end. */
const PAUSE = 5000;

/** Is told of the number of connections that there are, when the server takes no more. */
export type OnShortage = (connections: number, error: unknown) => void;

/** The connections that there are, and those with the ones that are being made. */
export interface ConnectionCount {
  made: number;
  all: number;
}

interface Refusal {
  error: unknown;
  at: number;
  /** How many there were, or have been since. */
  made: number;
}

export class Allowance {
  readonly #wanted: number;
  readonly #onShortage: OnShortage;
  readonly #now: MonotonicClock;
  #refusal: Refusal | undefined;
  /** The number that was told, as long as there have never been more. */
  #told = Infinity;

  constructor(wanted: number, onShortage: OnShortage, now: MonotonicClock) {
    this.#wanted = wanted;
    this.#onShortage = onShortage;
    this.#now = now;
  }

  /**
   * The most that there may be at this moment: one less than the server takes, so that another that
   * has none finds a place.
   */
  get most(): number {
    if (this.#refusal && this.#now() - this.#refusal.at >= PAUSE) this.#refusal = undefined;
    return this.#refusal === undefined ? this.#wanted : Math.max(1, this.#refusal.made - 1);
  }

  /** Whether one of those that there are is to be given up. */
  isExceeded({ made, all }: ConnectionCount): boolean {
    return made === all && made > this.most;
  }

  /** One was made. */
  grow(count: ConnectionCount): void {
    if (count.made > this.#told) this.#told = Infinity;
    // What was refused while there were none may have been a matter of a moment.
    if (this.#refusal?.made === 0) this.#refusal = undefined;
    if (this.#refusal) this.#refusal.made = Math.max(this.#refusal.made, count.made);
    this.#tell(count);
  }

  /** The server takes no more than there are. */
  refuse(error: unknown, count: ConnectionCount): void {
    this.#refusal = { error, at: this.#now(), made: count.made };
    this.#tell(count);
  }

  /** Once, and not before it is known how many there are. */
  #tell({ made, all }: ConnectionCount): void {
    if (!this.#refusal || made === 0 || all > made || this.#told < Infinity) return;
    this.#told = made;
    this.#onShortage(made, this.#refusal.error);
  }
}
