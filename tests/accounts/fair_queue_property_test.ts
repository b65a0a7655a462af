import assert from "node:assert/strict";
import fc from "fast-check";
import { makeQueue, settle } from "./held_queue.ts";

interface Arrival {
  owner: string;
  /** How many works of its owner are begun by the time at which it is, if all before it are. */
  place: number;
  /** What had begun when it arrived. */
  before: number;
}

/** What happens: a work of an owner arrives, or the oldest running one ends after some time. */
const events = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ owner: fc.constantFrom("a", "b", "c", "d") }) },
    { weight: 2, arbitrary: fc.record({ duration: fc.integer({ min: 0, max: 800 }) }) },
  ),
  { maxLength: 120, size: "max" },
);
const options = fc.record({
  concurrency: fc.integer({ min: 1, max: 4 }),
  capacity: fc.integer({ min: 1, max: 12 }),
  patience: fc.constantFrom(500, 5000, Infinity),
});

/** Who of the others was begun between the arrival of a work and its own beginning, how often. */
function overtakers(begun: readonly string[], name: string, { owner, before }: Arrival) {
  const counts = new Map<string, number>();
  for (const other of begun.slice(before, begun.indexOf(name))) {
    const [who] = other.split(" ");
    if (who !== owner) counts.set(who!, (counts.get(who!) ?? 0) + 1);
  }
  return [...counts.values()];
}

Deno.test("FairQueue.run() does or refuses every work once, in turns and never too many at a time", async () => {
  await fc.assert(fc.asyncProperty(options, events, async (limits, happening) => {
    const { add, finish, begun, refused, running, queue } = makeQueue(limits);
    const arrivals = new Map<string, Arrival>();
    for (const event of happening) {
      if ("owner" in event) {
        const { owner } = event;
        const name = `${owner} ${arrivals.size}`;
        const waiting = [...arrivals].filter(([other, arrival]) =>
          arrival.owner === owner && !begun.includes(other) && !refused.includes(other)
        );
        arrivals.set(name, { owner, place: waiting.length + 1, before: begun.length });
        add(owner, name);
        await settle();
      } else if (running.length > 0) await finish(event.duration);
      assert.ok(running.length <= limits.concurrency);
      assert.ok(queue.size <= limits.capacity);
      assert.equal(queue.size > 0 && running.length < limits.concurrency, false, "an idle place");
    }
    while (running.length > 0) await finish();
    assert.deepEqual([...begun, ...refused].toSorted(), [...arrivals.keys()].toSorted());
    for (const [name, arrival] of arrivals) {
      if (!begun.includes(name)) continue;
      const counts = overtakers(begun, name, arrival);
      assert.ok(counts.every((count) => count <= arrival.place), `${name}: ${begun}`);
    }
  }));
});
