import assert from "node:assert/strict";
import { isDomainError } from "../../lib/base/errors.ts";
import { ReplayGuard } from "../../lib/tokens/replay_guard.ts";
import { failureOf, FakeClock } from "../support.ts";

function makeGuard(capacity = 10) {
  const time = new FakeClock();
  return { time, guard: new ReplayGuard({ capacity, clock: time.clock }) };
}

Deno.test("ReplayGuard.use() gives false for the same identifier until its time", () => {
  const { time, guard } = makeGuard();
  const until = time.seconds + 60;
  assert.equal(guard.use("a", until), true);
  assert.equal(guard.use("a", until), false);
  assert.equal(guard.use("b", until), true);
  time.advance(59);
  assert.equal(guard.use("a", until + 60), false);
  time.advance(1);
  assert.equal(guard.use("a", until + 60), true);
});

Deno.test("ReplayGuard.use() holds on until the very moment when the time is not a whole second", () => {
  const { time, guard } = makeGuard();
  assert.equal(guard.use("a", time.seconds + 1.5), true);
  time.advance(1);
  assert.equal(guard.use("a", time.seconds + 60), false);
});

Deno.test("ReplayGuard.use() gives false when the time has passed: it may have been used", () => {
  const { time, guard } = makeGuard();
  assert.equal(guard.use("a", time.seconds), false);
  assert.equal(guard.size, 0);
});

Deno.test("ReplayGuard.use() refuses when full of live ones, and forgets none of them", async () => {
  const { time, guard } = makeGuard(3);
  const until = time.seconds + 60;
  for (const id of ["a", "b", "c"]) assert.equal(guard.use(id, until), true);
  const error = await failureOf(() => guard.use("d", until));
  assert.ok(isDomainError(error, "overloaded"));
  assert.ok(error.data.retryAfter! >= 1);
  for (const id of ["a", "b", "c"]) assert.equal(guard.use(id, until), false);
});

Deno.test("ReplayGuard.use() has room again when some are over, whatever the order of their ends", () => {
  const { time, guard } = makeGuard(3);
  guard.use("late", time.seconds + 300);
  guard.use("early", time.seconds + 10);
  guard.use("middle", time.seconds + 100);
  time.advance(10);
  assert.equal(guard.use("new", time.seconds + 10), true);
  assert.equal(guard.size, 3);
  assert.equal(guard.use("late", time.seconds + 10), false);
  assert.equal(guard.use("middle", time.seconds + 10), false);
});

Deno.test("ReplayGuard drops what is over, so that years of use leave nothing behind", () => {
  const { time, guard } = makeGuard(5);
  for (let count = 0; count < 2000; count++) {
    assert.equal(guard.use(`id ${count}`, time.seconds + 3), true);
    time.advance(1);
  }
  assert.ok(guard.size <= 4);
});

Deno.test("ReplayGuard.use() keeps what is live when the clock is set back", () => {
  const { time, guard } = makeGuard();
  const until = time.seconds + 60;
  guard.use("a", until);
  time.advance(-3600);
  assert.equal(guard.use("a", until), false);
});
