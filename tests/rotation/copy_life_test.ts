import assert from "node:assert/strict";
import fc from "fast-check";
import { lifeOfCopy } from "../../lib/rotation/copy_life.ts";
import {
  activeKey,
  publishedKeys,
  type RotationPolicy,
  type ScheduledKey,
} from "../../lib/rotation/policy.ts";
import { planTimeline } from "../../lib/rotation/timeline.ts";
import { clockJumps, type Event, events, operations, policies } from "./happenings.ts";
import { World } from "./key_simulation.ts";
import { POLICY } from "../support.ts";

const DAY = 86_400;

/** A world in which it is seen which key signs each token. */
class WatchedWorld extends World {
  readonly signatures: { at: number; id: number }[] = [];

  constructor(policy: RotationPolicy) {
    super(policy);
  }

  override issue(): void {
    super.issue();
    this.signatures.push({ at: this.now, id: activeKey(this.keys, this.now)!.id });
  }
}

/** A copy, as it is made of these keys. */
function copyOf(keys: readonly ScheduledKey[], now: number): Set<number> {
  return new Set(publishedKeys(keys, now).map(({ id }) => id));
}

/** Any past, operators and clocks that are set back included. */
const pasts = fc.array(fc.oneof(events, operations, clockJumps), { maxLength: 20 });

/** Any future in which the server runs and does not, under the policy of the copy. */
const futures = fc.array(events.filter(({ kind }: Event) => kind !== "reconfigure"), {
  minLength: 1,
  maxLength: 15,
});

/** How long nobody has looked after the keys when the copy is made, in rotations. */
const neglects = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 4, noNaN: true }));

Deno.test("lifeOfCopy() promises no moment before which a key signs that the copy lacks", () => {
  let kept = 0;
  fc.assert(
    fc.property(policies, pasts, neglects, futures, (policy, past, neglect, future) => {
      const world = new WatchedWorld(policy);
      for (const event of past) world.happen(event);
      world.now += Math.floor(neglect * world.policy.rotation);
      const copy = copyOf(world.keys, world.now);
      const { completeUntil } = lifeOfCopy(world.keys, world.now, world.policy);
      world.signatures.length = 0;
      for (const event of future) world.happen(event);
      for (const { at, id } of world.signatures.filter(({ at }) => at < completeUntil)) {
        assert.ok(copy.has(id), `a key signs that the copy lacks, ${completeUntil - at} s early`);
        kept++;
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(kept > 1000, `only ${kept} signatures fell into the lives of the copies`);
});

const RUN: Event = { kind: "run", rotations: 2 };

/** Keys one after the other, with gaps that no plan leaves: lengths in parts of a rotation. */
const gappedKeys = fc.array(
  fc.record({
    gap: fc.oneof(fc.constant(0), fc.double({ min: 0.5, max: 2, noNaN: true })),
    life: fc.double({ min: 0.1, max: 3, noNaN: true }),
  }),
  { minLength: 1, maxLength: 2 },
);

Deno.test("lifeOfCopy() promises that of keys with gaps between them, too, in which one starts early", () => {
  fc.assert(
    fc.property(policies, gappedKeys, neglects, futures, (policy, lengths, neglect, future) => {
      const world = new WatchedWorld(policy);
      world.happen({ kind: "clock back", rotations: 0 }); // nothing is known of how old the keys are
      let start = world.now - 1;
      world.keys = lengths.map(({ gap, life }, index) => {
        const signFrom = Math.floor(start + gap * policy.rotation);
        start = Math.ceil(signFrom + life * policy.rotation);
        const exp = start + policy.tokenTtl + policy.clockSkew;
        return { id: index, signFrom, signUntil: start, exp };
      });
      world.tokens.clear();
      const copy = copyOf(world.keys, world.now);
      const { completeUntil } = lifeOfCopy(world.keys, world.now, policy);
      world.signatures.length = 0;
      world.happen({ kind: "outage", rotations: neglect });
      for (const event of [RUN, ...future]) world.happen(event);
      for (const { at, id } of world.signatures) assert.ok(at >= completeUntil || copy.has(id));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("lifeOfCopy() of keys in line promises the same under any later policy", () => {
  const calm = fc.array(events, { maxLength: 20 });
  fc.assert(
    fc.property(policies, calm, fc.array(events, { minLength: 1 }), (policy, past, future) => {
      const world = new WatchedWorld(policy);
      for (const event of past) world.happen(event);
      const copy = copyOf(world.keys, world.now);
      const { completeUntil } = lifeOfCopy(world.keys, world.now, world.policy);
      world.signatures.length = 0;
      for (const event of future) world.happen(event);
      for (const { at, id } of world.signatures) assert.ok(at >= completeUntil || copy.has(id));
    }),
    { numRuns: 300 },
  );
});

Deno.test("lifeOfCopy() promises no less than there is: then a new key signs, and before there was time to publish it", () => {
  const past = fc.array(events.filter(({ kind }) => kind === "run"), { maxLength: 8 });
  fc.assert(
    fc.property(policies, past, (policy, past) => {
      const world = new World(policy);
      for (const event of past) world.happen(event);
      const { keys, now } = world;
      const { completeUntil, until } = lifeOfCopy(keys, now, policy);
      const { events } = planTimeline(keys, now, completeUntil, policy);
      const first = events.find(({ upcoming, event }) => event === "signs" && upcoming === 1);
      assert.equal(first?.at, completeUntil);
      assert.equal(until, completeUntil - policy.prepublish);
      assert.ok(until >= now, "a copy of keys in line is of use");
      // With the server running, another copy that is made in time has the key that this one lacks.
      world.now = Math.max(now, until);
      world.maintain();
      assert.ok(lifeOfCopy(world.keys, world.now, policy).completeUntil > completeUntil);
    }),
    { numRuns: 300 },
  );
});

Deno.test("lifeOfCopy() of the first keys is two rotations less the pre-publication", () => {
  const { keys, now } = new World(POLICY);
  assert.deepEqual(lifeOfCopy(keys, now, POLICY), {
    completeUntil: now + 60 * DAY,
    until: now + 59 * DAY,
  });
});

Deno.test("lifeOfCopy() ends with the active key when no other waits, and is over when none signs", () => {
  const { keys, now } = new World(POLICY);
  const active = activeKey(keys, now)!;
  assert.equal(lifeOfCopy([active], now, POLICY).completeUntil, active.signUntil);
  assert.equal(lifeOfCopy([active], active.signUntil, POLICY).completeUntil, active.signUntil);
  assert.equal(lifeOfCopy([], now, POLICY).completeUntil, now);
  const later = now + 70 * DAY;
  assert.equal(lifeOfCopy(keys, later, POLICY).completeUntil, later);
});

Deno.test("lifeOfCopy() counts with a key that has to start early, in a gap before it", () => {
  const policy = { ...POLICY, rotation: 10 * DAY };
  const keys = [at(0, 5 * DAY, 1), at(20 * DAY, 30 * DAY, 2)];
  assert.equal(lifeOfCopy(keys, DAY, policy).completeUntil, 15 * DAY);
});

Deno.test("lifeOfCopy() of keys that overlap ends with the first after which a new one may follow", () => {
  const keys = [at(0, 40 * DAY, 1), at(10 * DAY, 20 * DAY, 2)];
  assert.equal(lifeOfCopy(keys, DAY, POLICY).completeUntil, 20 * DAY);
});

/** A key that signs from one moment to another. */
function at(signFrom: number, signUntil: number, id: number): ScheduledKey {
  return { id, signFrom, signUntil, exp: signUntil + 3900 };
}
