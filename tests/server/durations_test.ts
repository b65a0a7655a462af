import assert from "node:assert/strict";
import fc from "fast-check";
import { Durations } from "../../lib/server/durations.ts";

Deno.test("Durations counts how many are within each bound, that bound included", () => {
  const durations = new Durations([0.1, 1]);
  assert.deepEqual([durations.cumulative, durations.sum], [[0, 0, 0], 0]);
  for (const seconds of [0, 0.1, 0.5, 1, 1.5]) durations.add(seconds);
  assert.deepEqual([durations.cumulative, durations.sum], [[2, 4, 5], 3.1]);
});

Deno.test("Durations counts any lengths as their definition says", () => {
  const bounds = fc.uniqueArray(fc.double({ min: 0, max: 10, noNaN: true }), { maxLength: 8 });
  const lengths = fc.array(fc.double({ min: 0, max: 11, noNaN: true }));
  fc.assert(fc.property(bounds, lengths, (unsorted, lengths) => {
    const bounds = unsorted.toSorted((one, other) => one - other);
    const durations = new Durations(bounds);
    for (const seconds of lengths) durations.add(seconds);
    const within = bounds.map((bound) => lengths.filter((seconds) => seconds <= bound).length);
    assert.deepEqual(durations.cumulative, [...within, lengths.length]);
  }));
});
