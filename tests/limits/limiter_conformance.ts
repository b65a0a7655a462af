/** What every limiter does, wherever it keeps count. */

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Admission, Limiter } from "../../lib/limits/limiter.ts";

export interface Rule {
  limit: number;
  /** In milliseconds. */
  window: number;
}

/** A limiter that has counted nothing, and whose time stands still until it is moved. */
export interface TestedLimiter {
  limiter: Limiter;
  /** Moves its time by so many milliseconds. */
  advance(milliseconds: number): void;
}

export interface LimiterKind {
  /** What its tests are named after. */
  name: string;
  /** How many random histories are tried. */
  runs: number;
  /** Runs `body` with what makes limiters; those of one body may know of each other. */
  use(body: (make: (rule: Rule) => TestedLimiter) => Promise<void>): Promise<void>;
  /** Whether it cannot be tested here. */
  ignore?: boolean;
}

/** The definition, word by word: every admission is kept for ever and counted anew. */
class Definition {
  readonly #rule: Rule;
  readonly #admissions: { client: string; at: number }[] = [];

  constructor(rule: Rule) {
    this.#rule = rule;
  }

  admit(client: string, now: number): Admission {
    const { limit, window } = this.#rule;
    const counted = () =>
      this.#admissions.filter((one) => one.client === client && one.at > now - window);
    const admitted = counted().length < limit;
    if (admitted) this.#admissions.push({ client, at: now });
    const remaining = limit - counted().length;
    const resetIn = counted()[0]!.at + window - now;
    return { admitted, remaining, resetIn, retryIn: remaining > 0 ? 0 : resetIn };
  }
}

/** Long windows: a server that keeps count ends its keys by a clock that no test moves. */
const rules = fc.record({
  limit: fc.integer({ min: 1, max: 5 }),
  window: fc.integer({ min: 60_000, max: 100_000 }),
});
const arrivals = fc.array(
  fc.record({ client: fc.constantFrom("a", "b", "c"), wait: fc.integer({ min: 0, max: 60_000 }) }),
  { maxLength: 100 },
);
const RULE = { limit: 3, window: 60_000 };

export function testLimiter({ name, runs, use, ignore = false }: LimiterKind): void {
  const test = (
    what: string,
    body: (make: (rule: Rule) => TestedLimiter) => Promise<void>,
  ) => Deno.test({ name: `${name} ${what}`, ignore, fn: () => use(body) });

  test("decides as the definition does, for any arrivals", async (make) => {
    await fc.assert(
      fc.asyncProperty(rules, arrivals, async (rule, requests) => {
        const { limiter, advance } = make(rule);
        const definition = new Definition(rule);
        let now = 0;
        for (const { client, wait } of requests) {
          advance(wait);
          now += wait;
          const { ticket: _, ...admission } = await limiter.admit(client);
          assert.deepEqual(admission, definition.admit(client, now));
        }
      }),
      { numRuns: runs },
    );
  });

  test("admits exactly the limit of a hundred requests at once", async (make) => {
    const { limiter } = make({ limit: 10, window: 60_000 });
    const all = await Promise.all(Array.from({ length: 100 }, () => limiter.admit("a")));
    const admitted = all.filter(({ admitted }) => admitted);
    assert.deepEqual(admitted.map(({ remaining }) => remaining), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });

  test("makes a client that keeps trying wait no longer", async (make) => {
    const { limiter, advance } = make(RULE);
    for (let sent = 0; sent < RULE.limit; sent++) await limiter.admit("a");
    for (let tried = 1; tried < 6; tried++) {
      advance(10_000);
      const { admitted, retryIn } = await limiter.admit("a");
      assert.deepEqual([admitted, retryIn], [false, 60_000 - tried * 10_000]);
    }
    advance(9999);
    assert.equal((await limiter.admit("a")).admitted, false);
    advance(1);
    assert.equal((await limiter.admit("a")).admitted, true);
  });

  test("does not let clients count for each other, nor what is limited apart", async (make) => {
    const [one, other] = [make({ limit: 1, window: 60_000 }), make({ limit: 1, window: 60_000 })];
    for (const { limiter } of [one, other]) {
      for (const client of ["a", "b"]) {
        assert.equal((await limiter.admit(client)).admitted, true);
        assert.equal((await limiter.admit(client)).admitted, false);
      }
    }
  });

  test("takes an admission back as if it had not been asked for", async (make) => {
    const { limiter, advance } = make(RULE);
    await limiter.admit("a");
    advance(1000);
    await limiter.admit("a");
    const last = await limiter.admit("a");
    assert.equal(last.remaining, 0);
    await limiter.withdraw("a", last);
    advance(1000);
    const next = await limiter.admit("a");
    assert.deepEqual([next.admitted, next.remaining, next.resetIn], [true, 0, 58_000]);
  });

  test("holds nothing of a client all of whose admissions were taken back", async (make) => {
    const { limiter } = make({ limit: 1, window: 60_000 });
    for (let tried = 0; tried < 20; tried++) {
      const admission = await limiter.admit("a");
      assert.equal(admission.admitted, true);
      await limiter.withdraw("a", admission);
    }
  });
}
