import assert from "node:assert/strict";
import { Rounds } from "../../lib/base/rounds.ts";

Deno.test("Rounds.run() does one round at a time, and then another", async () => {
  const ends: (() => void)[] = [];
  const rounds = new Rounds(() => new Promise((resolve) => void ends.push(resolve)));
  const [first, second] = [rounds.run(), rounds.run()];
  assert.equal(ends.length, 1);
  ends[0]!();
  await Promise.all([first, second]);
  const third = rounds.run();
  assert.equal(ends.length, 2);
  ends[1]!();
  await third;
});

Deno.test("Rounds.stop() waits for the round that is under way, and begins none", async () => {
  let begun = 0;
  let isOver = false;
  const rounds = new Rounds(async () => {
    begun++;
    await new Promise((resolve) => setTimeout(resolve, 20));
    isOver = true;
  });
  rounds.start(1);
  while (begun === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await rounds.stop();
  assert.equal(isOver, true);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(begun, 1);
});
