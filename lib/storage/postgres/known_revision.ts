/** The revision as it was learned last: not every login has to ask for it. */

import type { MonotonicClock } from "../../base/clock.ts";

export class KnownRevision {
  readonly #now: MonotonicClock;
  /** What was learned last. It was asked for then, and is no older. */
  #known: { revision: number; askedAt: number } | undefined;
  /** The question that is on its way. */
  #asking: { answer: Promise<number>; askedAt: number } | undefined;
  /** How often this process has changed the keys. */
  #changes = 0;

  constructor(now: MonotonicClock) {
    this.#now = now;
  }

  /** What was learned no longer ago than `maxAge` milliseconds, or else what `ask` gives. */
  get(maxAge: number, ask: () => Promise<number>): Promise<number> {
    const earliest = this.#now() - maxAge;
    if (this.#known && this.#known.askedAt >= earliest) {
      return Promise.resolve(this.#known.revision);
    }
    if (this.#asking && this.#asking.askedAt >= earliest) return this.#asking.answer;
    const answer = this.learn(ask, (revision) => revision);
    const asking = { answer, askedAt: this.#now() };
    const end = () => {
      if (this.#asking === asking) this.#asking = undefined;
    };
    answer.then(end, end);
    this.#asking = asking;
    return answer;
  }

  /** What `ask` gives, which tells the revision, too. */
  async learn<Result>(
    ask: () => Promise<Result>,
    revisionOf: (result: Result) => number | undefined,
  ): Promise<Result> {
    const [askedAt, changes] = [this.#now(), this.#changes];
    const result = await ask();
    const revision = revisionOf(result);
    const isNewer = changes === this.#changes && askedAt >= (this.#known?.askedAt ?? -Infinity);
    if (revision !== undefined && isNewer) this.#known = { revision, askedAt };
    return result;
  }

  /** What `change` gives, which may change the keys: what was asked before its end is of no use. */
  async during<Result>(change: () => Promise<Result>): Promise<Result> {
    try {
      return await change();
    } finally {
      this.#changes++;
      this.#known = undefined;
      this.#asking = undefined;
    }
  }
}
