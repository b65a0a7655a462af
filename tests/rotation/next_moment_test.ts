import assert from "node:assert/strict";
import fc from "fast-check";
import {
  bornExpiredKey,
  isEmptyPlan,
  nextMoment,
  planRotation,
  reschedule,
} from "../../lib/rotation/policy.ts";
import { clockJumps, events, operations, policies } from "./happenings.ts";
import { World } from "./key_simulation.ts";
import { POLICY } from "../support.ts";

/** Asserts that nothing is to be done from now on until just before the next moment. */
function assertQuiet({ keys, now, policy }: World, part: number): void {
  const next = nextMoment(keys, now, policy);
  assert.ok(now < next && Number.isSafeInteger(next), `${next} is no moment after ${now}`);
  for (const at of [now, now + 1, now + Math.floor(part * (next - now)), next - 1]) {
    if (at >= next) continue;
    const plan = planRotation(keys, at, policy);
    assert.ok(isEmptyPlan(plan), `at ${at}, before ${next}: ${JSON.stringify(plan)}`);
  }
}

const parts = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

Deno.test("nextMoment() is not after the first moment at which planRotation() does something", () => {
  const happenings = fc.array(fc.oneof(events, operations), { maxLength: 30 });
  fc.assert(
    fc.property(policies, happenings, parts, (policy, list, part) => {
      const world = new World(policy);
      assertQuiet(world, part);
      for (const event of list) {
        world.happen(event);
        assertQuiet(world, part);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("nextMoment() is not too late when the clock jumps back, either", () => {
  const happenings = fc.array(fc.oneof(events, operations, clockJumps, clockJumps), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(policies, happenings, parts, (policy, list, part) => {
      const world = new World(policy);
      for (const event of list) {
        world.happen(event);
        assertQuiet(world, part);
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("nextMoment() knows when an earlier born-expired key takes its place again after a jump", () => {
  const world = new World({ ...POLICY, retention: 3600 });
  const first = bornExpiredKey(world.keys, world.now)!;
  world.happen({ kind: "clock back", rotations: 7200 / POLICY.rotation });
  assert.notEqual(bornExpiredKey(world.keys, world.now)!.id, first.id);
  let moments = 0;
  while (bornExpiredKey(world.keys, world.now)!.id !== first.id) {
    assert.ok(++moments < 10, "the key never takes its place");
    assertQuiet(world, 0.5);
    world.now = nextMoment(world.keys, world.now, world.policy);
    world.maintain();
  }
});

Deno.test("nextMoment() is reached by each moment of a schedule and passed by none of them", () => {
  const key = { id: 1, signFrom: 100, signUntil: 200, exp: 300 };
  const policy = { ...POLICY, retention: 50 };
  const moments = [0, 99, 100, 199, 200, 299, 300, 349, 350]
    .map((now) => nextMoment([key], now, policy));
  assert.deepEqual(moments, [100, 100, 200, 200, 300, 300, 350, 350, Infinity]);
  assert.equal(nextMoment([], 0, policy), Infinity);
});

Deno.test("reschedule() puts the changed schedules in place, in order, and leaves the others alone", () => {
  const keys = [1, 2, 3].map((id) => ({ id, signFrom: id, signUntil: 10, exp: 20, name: `${id}` }));
  const changed = [{ id: 3, signFrom: 0, signUntil: 5, exp: 9 }, {
    id: 1,
    signFrom: 7,
    signUntil: 8,
    exp: 9,
  }];
  const result = reschedule(keys, changed);
  assert.deepEqual(result, [changed[1], keys[1], changed[0]]);
  assert.equal(result[1], keys[1]);
  assert.deepEqual(
    keys.map(({ signFrom }) => signFrom),
    [1, 2, 3],
    "what was given is not changed",
  );
});

Deno.test("reschedule() adds no key that was not there", () => {
  const key = { id: 1, signFrom: 1, signUntil: 2, exp: 3 };
  assert.deepEqual(reschedule([key], [{ ...key, id: 2 }]), [key]);
  assert.deepEqual(reschedule([], [key]), []);
});
