import assert from "node:assert/strict";
import fc from "fast-check";
import { SlidingWindow } from "../../lib/limits/sliding_window.ts";

/** The definition, word by word: every admission is kept for ever and counted anew. */
class NaiveWindow {
  readonly admissions: { client: string; at: number }[] = [];

  constructor(readonly limit: number, readonly window: number) {}

  admit(client: string, now: number) {
    const counted = () => this.within(now).filter((one) => one.client === client);
    const admitted = counted().length < this.limit;
    if (admitted) this.admissions.push({ client, at: now });
    const remaining = this.limit - counted().length;
    const resetIn = counted()[0]!.at + this.window - now;
    return { admitted, remaining, resetIn, retryIn: remaining > 0 ? 0 : resetIn };
  }

  clients(now: number): number {
    return new Set(this.within(now).map((one) => one.client)).size;
  }

  within(now: number) {
    return this.admissions.filter(({ at }) => at > now - this.window);
  }
}

const arrivals = fc.array(
  fc.record({ client: fc.constantFrom("a", "b", "c"), wait: fc.integer({ min: 0, max: 60 }) }),
  { maxLength: 200 },
);
const limits = fc.record({
  limit: fc.integer({ min: 1, max: 5 }),
  window: fc.integer({ min: 1, max: 100 }),
});

Deno.test("SlidingWindow.admit() decides as the definition does, for any arrivals", () => {
  fc.assert(fc.property(limits, arrivals, ({ limit, window }, requests) => {
    let now = 0;
    const sliding = new SlidingWindow({ limit, window, now: () => now });
    const naive = new NaiveWindow(limit, window);
    for (const { client, wait } of requests) {
      now += wait;
      assert.deepEqual(sliding.admit(client), naive.admit(client, now));
      assert.equal(sliding.clients, naive.clients(now));
    }
  }));
});

Deno.test("SlidingWindow.admit() never admits more than the limit in any window", () => {
  fc.assert(fc.property(limits, arrivals, ({ limit, window }, requests) => {
    let now = 0;
    const sliding = new SlidingWindow({ limit, window, now: () => now });
    const admitted: number[] = [];
    for (const { wait } of requests) {
      now += wait;
      if (sliding.admit("a").admitted) admitted.push(now);
    }
    for (const end of admitted) {
      const inside = admitted.filter((at) => at > end - window && at <= end);
      assert.ok(inside.length <= limit);
    }
  }));
});

Deno.test("SlidingWindow.admit() makes a client that keeps trying wait no longer", () => {
  fc.assert(fc.property(limits, fc.array(fc.nat(100)), ({ limit, window }, tries) => {
    let now = 0;
    const sliding = new SlidingWindow({ limit, window, now: () => now });
    for (let count = 0; count < limit; count++) sliding.admit("a");
    for (const at of tries.filter((at) => at < window).toSorted((a, b) => a - b)) {
      now = at;
      assert.equal(sliding.admit("a").admitted, false);
    }
    now = window;
    assert.equal(sliding.admit("a").admitted, true);
  }));
});

Deno.test("SlidingWindow.admit() admits after exactly `retryIn`, and not a moment before", () => {
  let now = 0;
  const sliding = new SlidingWindow({ limit: 2, window: 1000, now: () => now });
  sliding.admit("a");
  now = 400;
  sliding.admit("a");
  now = 500;
  const { retryIn } = sliding.admit("a");
  now = 500 + retryIn - 1;
  assert.equal(sliding.admit("a").admitted, false);
  now = 500 + retryIn;
  assert.equal(sliding.admit("a").admitted, true);
  assert.equal(sliding.admit("a").admitted, false);
});

Deno.test("SlidingWindow.admit() does not let clients count for each other", () => {
  const sliding = new SlidingWindow({ limit: 1, window: 1000, now: () => 0 });
  assert.equal(sliding.admit("a").admitted, true);
  assert.equal(sliding.admit("a").admitted, false);
  assert.equal(sliding.admit("b").admitted, true);
});

Deno.test("SlidingWindow forgets idle clients, so that memory is bounded by the active ones", () => {
  let now = 0;
  const sliding = new SlidingWindow({ limit: 10, window: 1000, now: () => now });
  for (let index = 0; index < 1000; index++) sliding.admit(`client ${index}`);
  assert.equal(sliding.clients, 1000);
  now = 1000;
  sliding.admit("another");
  assert.equal(sliding.clients, 1);
});
