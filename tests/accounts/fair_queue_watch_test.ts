import assert from "node:assert/strict";
import { FairQueue } from "../../lib/accounts/fair_queue.ts";
import { failureOf } from "../support.ts";

/** A queue with one place, room for one more, and works that end when the test says. */
function makeWatched() {
  const waits: number[] = [];
  const ends: (() => void)[] = [];
  let time = 0;
  const queue = new FairQueue({
    concurrency: 1,
    patience: 1000,
    capacity: 1,
    now: () => time,
    onStart: (waited) => void waits.push(waited),
  });
  const add = (owner: string) => queue.run(owner, () => new Promise<void>((end) => ends.push(end)));
  const wait = (milliseconds: number) => void (time += milliseconds);
  return { queue, add, wait, waits, end: () => ends.shift()!() };
}

Deno.test("FairQueue tells for how long each work has waited when it begins", async () => {
  const { add, wait, waits, end } = makeWatched();
  const first = add("a");
  const second = add("b");
  assert.deepEqual(waits, [0]);
  wait(300);
  end();
  await first;
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(waits, [0, 300]);
  end();
  await second;
});

Deno.test("FairQueue counts the works that it refused: no room, displaced, or too late", async () => {
  const { queue, add, wait, waits, end } = makeWatched();
  const first = add("a");
  const second = add("b");
  assert.equal(queue.refusals, 0);
  await failureOf(() => add("b"));
  assert.equal(queue.refusals, 1);
  wait(1001);
  end();
  await first;
  await failureOf(() => second);
  assert.equal(queue.refusals, 2);
  assert.deepEqual([queue.size, waits], [0, [0]]);
});
