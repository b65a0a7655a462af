import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { isDomainError, storageUnavailable } from "../../lib/base/errors.ts";
import type { UseRegistry } from "../../lib/storage/storage.ts";
import { ReplayGuard } from "../../lib/tokens/replay_guard.ts";
import { failureOf, FakeClock } from "../support.ts";

function makeGuard(capacity = 10, shared?: UseRegistry) {
  const time = new FakeClock();
  return { time, guard: new ReplayGuard({ capacity, clock: time.clock, shared }) };
}

Deno.test("ReplayGuard.use() gives false for the same identifier until its time", async () => {
  const { time, guard } = makeGuard();
  const until = time.seconds + 60;
  assert.equal(await guard.use("a", until), true);
  assert.equal(await guard.use("a", until), false);
  assert.equal(await guard.use("b", until), true);
  time.advance(59);
  assert.equal(await guard.use("a", until + 60), false);
  time.advance(1);
  assert.equal(await guard.use("a", until + 60), true);
});

Deno.test("ReplayGuard.use() holds on until the very moment when the time is not a whole second", async () => {
  const { time, guard } = makeGuard();
  assert.equal(await guard.use("a", time.seconds + 1.5), true);
  time.advance(1);
  assert.equal(await guard.use("a", time.seconds + 60), false);
});

Deno.test("ReplayGuard.use() gives false when the time has passed: it may have been used", async () => {
  const { time, guard } = makeGuard();
  assert.equal(await guard.use("a", time.seconds), false);
  assert.equal(guard.size, 0);
});

Deno.test("ReplayGuard.use() refuses when full of live ones, and forgets none of them", async () => {
  const { time, guard } = makeGuard(3);
  const until = time.seconds + 60;
  for (const id of ["a", "b", "c"]) assert.equal(await guard.use(id, until), true);
  const error = await failureOf(() => guard.use("d", until));
  assert.ok(isDomainError(error, "overloaded"));
  assert.ok(error.data.retryAfter! >= 1);
  for (const id of ["a", "b", "c"]) assert.equal(await guard.use(id, until), false);
});

Deno.test("ReplayGuard.use() has room again when some are over, whatever the order of their ends", async () => {
  const { time, guard } = makeGuard(3);
  await guard.use("late", time.seconds + 300);
  await guard.use("early", time.seconds + 10);
  await guard.use("middle", time.seconds + 100);
  time.advance(10);
  assert.equal(await guard.use("new", time.seconds + 10), true);
  assert.equal(guard.size, 3);
  assert.equal(await guard.use("late", time.seconds + 10), false);
  assert.equal(await guard.use("middle", time.seconds + 10), false);
});

Deno.test("ReplayGuard drops what is over, so that years of use leave nothing behind", async () => {
  const { time, guard } = makeGuard(5);
  for (let count = 0; count < 2000; count++) {
    assert.equal(await guard.use(`id ${count}`, time.seconds + 3), true);
    time.advance(1);
  }
  assert.ok(guard.size <= 4);
});

Deno.test("ReplayGuard.use() keeps what is live when the clock is set back", async () => {
  const { time, guard } = makeGuard();
  const until = time.seconds + 60;
  await guard.use("a", until);
  time.advance(-3600);
  assert.equal(await guard.use("a", until), false);
});

Deno.test("ReplayGuard.use() asks the other servers, once for what it does not know itself", async () => {
  const asked: [string, number][] = [];
  const used = new Set<string>();
  const use = (digest: Uint8Array, until: number) => {
    const name = Buffer.from(digest).toString("hex");
    asked.push([name, until]);
    return Promise.resolve(!used.has(name) && used.add(name) !== undefined);
  };
  const [{ time, guard }, other] = [makeGuard(10, { use }), makeGuard(10, { use })];
  const until = time.seconds + 60;
  assert.equal(await guard.use("a", until), true);
  assert.equal(await guard.use("a", until), false);
  assert.equal(asked.length, 1);
  assert.equal(await other.guard.use("a", until), false);
  assert.equal(await other.guard.use("b", until), true);
  assert.deepEqual(asked.map(([, until]) => until), [until, until, until]);
  assert.deepEqual(asked[0], asked[1]);
  assert.equal(asked[0]![0].length, 64);
});

Deno.test("ReplayGuard.use() takes nothing while the other servers cannot be asked", async () => {
  const error = storageUnavailable("unreachable");
  const { time, guard } = makeGuard(10, { use: () => Promise.reject(error) });
  assert.equal(await failureOf(() => guard.use("a", time.seconds + 60)), error);
  assert.equal(await guard.use("a", time.seconds + 60), false, "another server may know it by now");
});
