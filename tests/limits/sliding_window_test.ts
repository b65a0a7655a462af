import assert from "node:assert/strict";
import fc from "fast-check";
import { SlidingWindow } from "../../lib/limits/sliding_window.ts";
import { type Rule, testLimiter } from "./limiter_conformance.ts";

testLimiter({
  name: "SlidingWindow",
  runs: 100,
  use: (body) =>
    body((rule: Rule) => {
      let now = 0;
      const limiter = new SlidingWindow({ ...rule, now: () => now });
      return { limiter, advance: (milliseconds) => void (now += milliseconds) };
    }),
});

Deno.test("SlidingWindow holds the clients of the last window, for any arrivals", () => {
  const rules = fc.record({
    limit: fc.integer({ min: 1, max: 5 }),
    window: fc.integer({ min: 1, max: 100 }),
  });
  const arrivals = fc.array(
    fc.record({ client: fc.constantFrom("a", "b", "c"), wait: fc.integer({ min: 0, max: 60 }) }),
    { maxLength: 200 },
  );
  fc.assert(fc.property(rules, arrivals, ({ limit, window }, requests) => {
    let now = 0;
    const sliding = new SlidingWindow({ limit, window, now: () => now });
    const admissions: { client: string; at: number }[] = [];
    for (const { client, wait } of requests) {
      now += wait;
      if (sliding.admit(client).admitted) admissions.push({ client, at: now });
      const counted = admissions.filter(({ at }) => at > now - window);
      assert.equal(sliding.clients, new Set(counted.map(({ client }) => client)).size);
    }
  }));
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
