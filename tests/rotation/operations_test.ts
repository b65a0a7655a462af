import assert from "node:assert/strict";
import fc from "fast-check";
import { type DomainError, isDomainError } from "../../lib/base/errors.ts";
import {
  announcedAt,
  insertNext,
  nextKey,
  passiveSchedule,
  revoke,
  rotateNow,
} from "../../lib/rotation/operations.ts";
import { activeKey, keyState, type ScheduledKey } from "../../lib/rotation/policy.ts";
import { clockJumps, events, operations, policies } from "./happenings.ts";
import { World } from "./key_simulation.ts";
import { POLICY } from "../support.ts";

const DAY = 86_400;

function refusal(work: () => unknown): DomainError {
  try {
    work();
  } catch (error) {
    assert.ok(isDomainError(error, "conflict"), String(error));
    return error;
  }
  throw new Error("Expected a refusal");
}

Deno.test("rotateNow() is refused until the next key is published for long enough, and says until when", () => {
  const { keys, now } = new World(POLICY);
  const safe = announcedAt(nextKey(keys, now)!, POLICY);
  assert.equal(safe, now + 1 + POLICY.prepublish); // made in a second's course, so the next one
  const { message, hints } = refusal(() => rotateNow(keys, safe - 1, POLICY, { force: false }));
  assert.ok(message.includes(new Date(safe * 1000).toISOString()));
  assert.match(hints.join(), /--force/);
  assert.equal(rotateNow(keys, safe, POLICY, { force: false }).length, 2);
});

Deno.test("rotateNow() lets the next key sign for a whole rotation and brings no exp forward", () => {
  const { keys, now } = new World(POLICY);
  const active = activeKey(keys, now)!;
  const next = nextKey(keys, now)!;
  const later = now + 10 * DAY;
  const [retired, signer] = rotateNow(keys, later, POLICY, { force: false });
  assert.deepEqual(retired, { ...active, signUntil: later });
  assert.equal(signer!.id, next.id);
  assert.equal(signer!.signUntil - signer!.signFrom, POLICY.rotation);
  assert.equal(signer!.exp, next.exp);
});

Deno.test("rotateNow() twice in a second leaves the keys it passes published", () => {
  const world = new World(POLICY);
  const ids = world.keys.map(({ id }) => id);
  world.happen({ kind: "rotate", force: true });
  world.happen({ kind: "rotate", force: true });
  const states = world.keys.map((key) => [ids.indexOf(key.id), keyState(key, world.now)]);
  assert.deepEqual(states.map(([, state]) => state), [
    "passive",
    "passive",
    "born expired",
    "active",
    "next",
  ]);
});

Deno.test("revoke() ends a key for good: no clock brings it back", () => {
  const { keys, now } = new World(POLICY);
  const active = activeKey(keys, now)!;
  const [revoked] = revoke(active, now + 100);
  assert.equal(revoked!.exp, now + 100);
  for (const time of [0, now - 1, now, now + 99, now + 100, now + 100 * DAY]) {
    assert.equal(keyState(revoked!, time), "revoked");
  }
  assert.match(refusal(() => revoke(revoked!, now + 200)).message, /revoked already/);
});

Deno.test("revoke() of the active key gives its place to the next one at once", () => {
  const world = new World(POLICY);
  const next = nextKey(world.keys, world.now)!;
  const place = world.keys.findIndex((key) => keyState(key, world.now) === "active");
  world.happen({ kind: "revoke", place });
  assert.equal(activeKey(world.keys, world.now)!.id, next.id);
  assert.equal(world.emergencies, 0);
});

Deno.test("passiveSchedule() never signs, whatever the clock says, and ends when told", () => {
  const key: ScheduledKey = { id: 1, ...passiveSchedule(1_800_000_000, 500) };
  assert.equal(keyState(key, 1_800_000_499), "passive");
  assert.equal(keyState(key, 1_800_000_500), "expired");
  assert.equal(keyState(key, 1_000_000_000), "passive");
});

Deno.test("insertNext() lets the imported key sign after the active one, and others after that", () => {
  const { keys, now } = new World(POLICY);
  const active = activeKey(keys, now)!;
  const { schedule, moved } = insertNext(keys, now, POLICY);
  assert.equal(schedule.signFrom, active.signUntil);
  assert.deepEqual(moved.map(({ signFrom }) => signFrom), [schedule.signUntil]);
});

Deno.test("insertNext() gives verifiers the pre-publication time also when the active key ends sooner", () => {
  const { keys, now } = new World(POLICY);
  const late = now + POLICY.rotation - 10;
  assert.equal(insertNext(keys, late, POLICY).schedule.signFrom, late + POLICY.prepublish);
});

Deno.test("Operations in any order keep one signer, every token verifiable, and revoked keys out", () => {
  const happenings = fc.array(fc.oneof(events, operations, operations, clockJumps), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(policies, happenings, (policy, list) => {
      const world = new World(policy);
      for (const event of list) world.happen(event);
    }),
    { numRuns: 500 },
  );
});

Deno.test("Operations keep verifiers ahead of the signer while the clock is true", () => {
  const calm = operations.filter((event) => event.kind !== "revoke");
  fc.assert(
    fc.property(policies, fc.array(fc.oneof(events, calm), { maxLength: 40 }), (policy, list) => {
      const world = new World(policy);
      for (const event of list) world.happen(event);
    }),
    { numRuns: 300 },
  );
});
