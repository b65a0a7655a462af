import assert from "node:assert/strict";
import { makeQueue, settle } from "./held_queue.ts";

Deno.test("FairQueue.run() gives what the work gives, and fails with what it fails with", async () => {
  const { queue } = makeQueue();
  assert.equal(await queue.run("a", () => Promise.resolve(7)), 7);
  const failure = new Error("it broke");
  await assert.rejects(queue.run("a", () => Promise.reject(failure)), failure);
});

Deno.test("FairQueue.run() lets owners take turns, however much the others have queued", async () => {
  const { add, finish, begun } = makeQueue();
  for (let count = 1; count <= 5; count++) add("flood", `flood ${count}`);
  for (let count = 1; count <= 3; count++) add("other", `other ${count}`);
  add("newcomer");
  await settle();
  for (let count = 0; count < 9; count++) await finish();
  assert.deepEqual(begun, [
    "flood 1",
    "flood 2",
    "other 1",
    "newcomer",
    "flood 3",
    "other 2",
    "flood 4",
    "other 3",
    "flood 5",
  ]);
});

Deno.test("FairQueue.run() puts an owner behind the others again whose queue was empty for a while", async () => {
  const { add, finish, begun } = makeQueue();
  add("a", "a 1");
  add("b", "b 1");
  add("c", "c 1");
  await finish(); // b 1 runs, and b has nothing that waits
  add("b", "b 2");
  await finish();
  await finish();
  assert.deepEqual(begun, ["a 1", "b 1", "c 1", "b 2"]);
});

Deno.test("FairQueue.run() runs as many works at a time as it may, and no more", async () => {
  const { add, finish, begun, running, queue } = makeQueue({ concurrency: 3 });
  for (let count = 0; count < 8; count++) add(`owner ${count % 2}`);
  await settle();
  for (let done = 0; done <= 8; done++) {
    assert.equal(running.length, Math.min(3, 8 - done));
    assert.equal(begun.length, Math.min(8, done + 3));
    assert.equal(queue.size, 8 - begun.length);
    if (done < 8) await finish();
  }
});

Deno.test("FairQueue.run() frees the place of a work that fails, at once or later", async () => {
  const { queue } = makeQueue({ concurrency: 1 });
  const works = [
    () => Promise.reject(new Error("later")),
    (): Promise<never> => {
      throw new Error("at once");
    },
  ];
  for (const work of works) {
    for (let twice = 0; twice < 2; twice++) await assert.rejects(queue.run("a", work), Error);
  }
  const waiting = works.map((work) => assert.rejects(queue.run("a", work), Error));
  assert.equal(await queue.run("a", () => Promise.resolve("done")), "done");
  await Promise.all(waiting);
  assert.equal(queue.size, 0);
});

Deno.test("FairQueue.run() refuses the work for which there is no room", async () => {
  const { add, finish, begun, refused } = makeQueue({ capacity: 2 });
  for (let count = 1; count <= 5; count++) add("a", `a ${count}`);
  await settle();
  assert.deepEqual(refused, ["a 4", "a 5"]);
  await finish();
  add("a", "a 6");
  for (let count = 0; count < 3; count++) await finish();
  assert.deepEqual(begun, ["a 1", "a 2", "a 3", "a 6"]);
});

Deno.test("FairQueue.run() takes the last work of who has most for a newcomer with fewer", async () => {
  const { add, finish, begun, refused, queue } = makeQueue({ capacity: 5 });
  add("busy");
  for (let count = 1; count <= 2; count++) add("few", `few ${count}`);
  for (let count = 1; count <= 3; count++) add("most", `most ${count}`);
  add("newcomer", "newcomer 1");
  await settle();
  assert.deepEqual(refused, ["most 3"]);
  assert.equal(queue.size, 5);
  for (let count = 0; count < 6; count++) await finish();
  assert.deepEqual(begun, ["busy", "few 1", "most 1", "newcomer 1", "few 2", "most 2"]);
});

Deno.test("FairQueue.run() refuses who would then have as many as whoever has most", async () => {
  const { add, refused } = makeQueue({ capacity: 4 });
  add("busy");
  for (const owner of ["a", "b"]) for (const count of [1, 2]) add(owner, `${owner} ${count}`);
  add("a", "a 3");
  add("newcomer", "newcomer 1");
  await settle();
  assert.equal(refused[0], "a 3");
  assert.match(refused[1]!, /^[ab] 2$/);
  add("newcomer", "newcomer 2");
  await settle();
  assert.equal(refused[2], "newcomer 2");
});

Deno.test("FairQueue.run() admits only what can be done within the patience, as works took lately", async () => {
  const { add, finish, refused, queue, running } = makeQueue({ concurrency: 2, patience: 1000 });
  const flood = async () => {
    refused.length = 0;
    for (let count = 0; count < 150; count++) add("a");
    await settle();
    return queue.size;
  };
  const drain = async (milliseconds: number) => {
    while (running.length > 0) await finish(milliseconds);
  };
  assert.equal(await flood(), 16); // nothing is measured: 100 ms each, two at a time, in a second
  assert.equal(refused.length, 150 - 16 - 2);
  await drain(1);
  const quick = await flood();
  assert.ok(quick > 16, String(quick));
  for (let rounds = 0; rounds < 3; rounds++) {
    await drain(400);
    await flood();
  }
  assert.ok(queue.size < 16, String(queue.size));
  await drain(5000);
  assert.equal(await flood(), 1); // never none, or it would not be measured again
});

Deno.test("FairQueue.run() refuses what has waited beyond the patience, because works got slower", async () => {
  const { queue, add, finish, begun, refused } = makeQueue({ patience: 1000 });
  for (const name of ["running", "waiting", "also waiting"]) add(name);
  await finish(1001);
  assert.deepEqual([begun, refused], [["running"], ["waiting", "also waiting"]]);
  assert.equal(queue.size, 0);
  add("new");
  assert.deepEqual(begun, ["running", "new"], "the place is free");
});
