/** A limit on the passwords that are tried for one name, from however many addresses. */

import { DomainError } from "../base/errors.ts";
import type { Limiter } from "../limits/limiter.ts";

export interface GuessLimitOptions {
  /** Counts by name. */
  window: Limiter;
  /** Places from which somebody has logged in that are remembered; the oldest gives way. */
  capacity: number;
}

/** One try. */
export interface Guess {
  /** The try is over without an answer: it does not count. */
  withdraw(): void;
  /** The password was right: the try does not count, nor do others from there at this name. */
  succeed(): void;
}

/**
 * Counts the tries at a name, whether or not anybody has it. Those from a network from which the
 * right password came before are left to that network's own limit: who fills the limit of a name
 * from elsewhere keeps nobody out who has been in.
 */
export class GuessLimit {
  readonly #options: GuessLimitOptions;
  /** The least recently used first. */
  readonly #known = new Set<string>();

  constructor(options: GuessLimitOptions) {
    this.#options = options;
  }

  /** How many places are held in memory. */
  get size(): number {
    return this.#known.size;
  }

  /**
   * Admits a try at a name, in any case.
   *
   * @throws {DomainError} `rate_limited`; `overloaded` when nothing can decide.
   */
  async admit(username: string, network: string): Promise<Guess> {
    const name = username.toLowerCase();
    const place = JSON.stringify([name, network]);
    const succeed = () => this.#know(place);
    if (this.#known.has(place)) return { withdraw() {}, succeed };
    const { window } = this.#options;
    const admission = await window.admit(name);
    if (!admission.admitted) {
      throw new DomainError("rate_limited", "Too many passwords were tried for this name", {
        retryAfter: Math.ceil(admission.retryIn / 1000),
      });
    }
    const withdraw = () => window.withdraw(name, admission);
    return {
      withdraw,
      succeed() {
        withdraw();
        succeed();
      },
    };
  }

  #know(place: string): void {
    this.#known.delete(place);
    this.#known.add(place);
    if (this.#known.size <= this.#options.capacity) return;
    const [oldest] = this.#known;
    this.#known.delete(oldest!);
  }
}
