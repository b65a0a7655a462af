import assert from "node:assert/strict";
import { KnownRevision } from "../../../lib/storage/postgres/known_revision.ts";
import { failureOf, FakeClock } from "../../support.ts";

const itself = (revision: number) => revision;

/** A question that is answered when the test says so. */
function question() {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let times = 0;
  const ask = () => {
    times++;
    return promise;
  };
  return { ask, resolve, reject, times: () => times };
}

function never(): Promise<number> {
  throw new Error("Nothing was to be asked");
}

Deno.test("KnownRevision.get() counts the age from when it was asked, not from the answer", async () => {
  const time = new FakeClock();
  const known = new KnownRevision(time.clock);
  const slow = question();
  const got = known.get(100, slow.ask);
  time.now += 100;
  slow.resolve(5);
  assert.equal(await got, 5);
  assert.equal(await known.get(100, never), 5);
  time.now += 1;
  assert.equal(await known.get(100, () => Promise.resolve(6)), 6);
});

Deno.test("KnownRevision.get() joins a question that is on its way, unless it is too old", async () => {
  const time = new FakeClock();
  const known = new KnownRevision(time.clock);
  const [first, second] = [question(), question()];
  const joined = [known.get(100, first.ask), known.get(100, never)];
  time.now += 101;
  const later = known.get(100, second.ask);
  first.resolve(1);
  second.resolve(2);
  assert.deepEqual(await Promise.all([...joined, later]), [1, 1, 2]);
  assert.equal(await known.get(100, never), 2);
});

Deno.test("KnownRevision.get() asks anew after a question that failed", async () => {
  const known = new KnownRevision(() => 0);
  const failing = question();
  const got = [known.get(100, failing.ask), known.get(100, never)];
  failing.reject(new Error("no answer"));
  for (const one of got) assert.match(String(await failureOf(() => one)), /no answer/);
  assert.equal(await known.get(100, () => Promise.resolve(3)), 3);
});

Deno.test("KnownRevision keeps what was asked last, whenever the answers come", async () => {
  const time = new FakeClock();
  const known = new KnownRevision(time.clock);
  const [early, late] = [question(), question()];
  const first = known.learn(early.ask, itself);
  time.now += 1;
  const second = known.learn(late.ask, itself);
  late.resolve(2);
  await second;
  early.resolve(1);
  await first;
  assert.equal(await known.get(100, never), 2);
});

Deno.test("KnownRevision knows nothing after a change of its own, not even what was asked before", async () => {
  const known = new KnownRevision(() => 0);
  const [before, joined] = [question(), question()];
  const learned = known.learn(before.ask, itself);
  const got = known.get(100, joined.ask);
  await known.during(() => Promise.resolve());
  before.resolve(1);
  joined.resolve(1);
  await learned;
  assert.equal(await known.get(100, () => Promise.resolve(2)), 2);
  assert.equal(await got, 1, "who asked before the change may have what was then");
});

Deno.test("KnownRevision knows nothing after a change that may have failed", async () => {
  const known = new KnownRevision(() => 0);
  await known.learn(() => Promise.resolve(1), itself);
  await failureOf(() => known.during(() => Promise.reject(new Error("lost"))));
  assert.equal(await known.get(100, () => Promise.resolve(2)), 2);
});

Deno.test("KnownRevision learns nothing from an answer that does not tell it", async () => {
  const known = new KnownRevision(() => 0);
  await known.learn(() => Promise.resolve(1), itself);
  assert.equal(await known.learn(() => Promise.resolve("x"), () => undefined), "x");
  assert.equal(await known.get(100, never), 1);
});
