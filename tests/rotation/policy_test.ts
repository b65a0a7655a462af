import assert from "node:assert/strict";
import fc from "fast-check";
import { nextKey } from "../../lib/rotation/operations.ts";
import {
  activeKey,
  bornExpiredKey,
  isBornExpired,
  isEmptyPlan,
  keyState,
  planRotation,
  publishedKeys,
  type RotationPolicy,
} from "../../lib/rotation/policy.ts";
import { clockJumps, events, policies } from "./happenings.ts";
import { World } from "./key_simulation.ts";

const DAY = 86_400;
const NOW = 1_800_000_000;
const POLICY: RotationPolicy = {
  rotation: 30 * DAY,
  prepublish: DAY,
  tokenTtl: 3600,
  clockSkew: 300,
  retention: 7 * DAY,
  expiredTokens: true,
};

function settle(world: World, at: number) {
  world.now = at;
  world.maintain();
  return world;
}

Deno.test("keyState() is NEXT, ACTIVE, PASSIVE and EXPIRED from exactly the moments of the schedule", () => {
  const key = { signFrom: 100, signUntil: 200, exp: 300 };
  const states = [99, 100, 199, 200, 299, 300].map((now) => keyState(key, now));
  assert.deepEqual(states, ["next", "active", "active", "passive", "passive", "expired"]);
});

Deno.test("planRotation() makes an active, a next and a born-expired key when there is none", () => {
  const { create, isEmergency } = planRotation([], NOW, POLICY);
  assert.deepEqual(create.slice(0, 2), [
    { signFrom: NOW, signUntil: NOW + 30 * DAY, exp: NOW + 30 * DAY + 3900 },
    { signFrom: NOW + 30 * DAY, signUntil: NOW + 60 * DAY, exp: NOW + 60 * DAY + 3900 },
  ]);
  assert.ok(isBornExpired(create[2]!) && create[2]!.exp < NOW);
  assert.equal(isEmergency, false);
});

Deno.test("planRotation() makes no born-expired key when expired tokens are off, and lets an old one go", () => {
  const world = new World(POLICY);
  world.policy = { ...POLICY, expiredTokens: false };
  assert.notEqual(bornExpiredKey(world.keys, world.now), undefined);
  settle(world, NOW + 8 * DAY);
  assert.equal(bornExpiredKey(world.keys, world.now), undefined);
  assert.deepEqual(planRotation([], NOW, world.policy).create.length, 2);
});

Deno.test("planRotation() keeps the born-expired key for ever and never publishes it", () => {
  const world = new World(POLICY);
  const { id } = bornExpiredKey(world.keys, world.now)!;
  for (let day = 1; day < 800; day += 10) settle(world, NOW + day * DAY);
  assert.equal(bornExpiredKey(world.keys, world.now)!.id, id);
  assert.ok(publishedKeys(world.keys, NOW - 10 * DAY).every((key) => key.id !== id));
});

Deno.test("planRotation() has nothing to do until the next key turns active", () => {
  const world = new World(POLICY);
  assert.ok(isEmptyPlan(planRotation(world.keys, NOW + 30 * DAY - 1, POLICY)));
  const { create } = planRotation(world.keys, NOW + 30 * DAY, POLICY);
  assert.deepEqual(create.map(({ signFrom }) => signFrom), [NOW + 60 * DAY]);
});

Deno.test("planRotation() lets the active key sign for longer when the next one comes too late", () => {
  const world = new World(POLICY);
  const late = NOW + 60 * DAY - 60; // a minute before the last key ends, and nobody made another
  const old = activeKey(world.keys, late)!;
  settle(world, late);
  const active = activeKey(world.keys, late)!;
  assert.equal(active.id, old.id);
  assert.equal(active.signUntil, late + POLICY.prepublish);
  assert.equal(active.exp, active.signUntil + POLICY.tokenTtl + POLICY.clockSkew);
  assert.equal(world.keys.filter((key) => key.signFrom === active.signUntil).length, 1);
  assert.equal(world.emergencies, 0);
});

Deno.test("planRotation() starts a key at once, and says so, when an outage outlived all of them", () => {
  const world = settle(new World(POLICY), NOW + 61 * DAY);
  assert.equal(world.emergencies, 1);
  assert.equal(activeKey(world.keys, world.now)!.signFrom, world.now);
});

Deno.test("planRotation() starts the earliest known key when the clock was set back before it", () => {
  const world = new World(POLICY);
  const { id } = activeKey(world.keys, NOW)!;
  settle(world, NOW - 300);
  assert.equal(activeKey(world.keys, world.now)!.id, id);
  assert.equal(world.emergencies, 0);
});

Deno.test("planRotation() deletes an expired key only after the retention", () => {
  const world = new World(POLICY);
  const first = activeKey(world.keys, NOW)!;
  const end = first.exp + POLICY.retention;
  settle(world, NOW + 30 * DAY);
  assert.ok(settle(world, end - 1).keys.some(({ id }) => id === first.id));
  assert.ok(settle(world, end).keys.every(({ id }) => id !== first.id));
});

Deno.test("planRotation() makes another born-expired key when a clock set back leaves the first in the future", () => {
  const world = new World(POLICY);
  const first = bornExpiredKey(world.keys, world.now)!;
  settle(world, NOW - 2 * 3600);
  const second = bornExpiredKey(world.keys, world.now)!;
  assert.notEqual(second.id, first.id);
  assert.ok(second.exp < world.now);
  assert.equal(keyState(first, world.now), "born expired");
  assert.ok(publishedKeys(world.keys, world.now).every(({ id }) => id !== first.id));
  assert.notEqual(nextKey(world.keys, world.now)!.id, first.id);
});

Deno.test("planRotation() keeps the invariants over years of runs, outages and reconfigurations", () => {
  fc.assert(
    fc.property(policies, fc.array(events, { maxLength: 40 }), (policy, happenings) => {
      const world = new World(policy);
      for (const event of happenings) world.happen(event);
    }),
    { numRuns: 300 },
  );
});

Deno.test("planRotation() keeps one signer and every token verifiable when the clock jumps back", () => {
  const happenings = fc.array(fc.oneof(events, clockJumps), { maxLength: 30 });
  fc.assert(
    fc.property(policies, happenings, (policy, list) => {
      const world = new World(policy);
      for (const event of list) world.happen(event);
    }),
    { numRuns: 300 },
  );
});
