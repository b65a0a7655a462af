import assert from "node:assert/strict";
import fc from "fast-check";
import { planTimeline } from "../../lib/rotation/timeline.ts";
import { activeKey, keyState } from "../../lib/rotation/policy.ts";
import { policies } from "./happenings.ts";
import { World } from "./key_simulation.ts";
import { POLICY } from "../support.ts";

const DAY = 86_400;
const YEAR = 365 * DAY;
/** The shortest rotation that a configuration may have. */
const SHORT = { ...POLICY, rotation: 360, prepublish: 360, tokenTtl: 60, retention: 0 };

Deno.test("planTimeline() tells each key's life in the order of time", () => {
  const { keys, now } = new World(POLICY);
  const active = activeKey(keys, now)!;
  const { events } = planTimeline(keys, now, now + 40 * DAY, POLICY);
  assert.deepEqual(events.filter(({ id }) => id === active.id).map(({ event }) => event), [
    "retires",
    "leaves",
    "deleted",
  ]);
  const first = events.filter(({ upcoming }) => upcoming === 1);
  assert.deepEqual(first.map(({ at, event }) => [at, event]), [[active.signUntil, "published"]]);
  assert.deepEqual(
    events.map(({ at }) => at),
    events.map(({ at }) => at).toSorted((a, b) => a - b),
  );
});

Deno.test("planTimeline() says nothing of the born-expired key and only the end of a revoked one", () => {
  const world = new World(POLICY);
  world.happen({ kind: "revoke", place: 0 });
  const revoked = world.keys.find((key) => keyState(key, world.now) === "revoked")!;
  const { events } = planTimeline(world.keys, world.now, world.now + 10 * DAY, POLICY);
  assert.deepEqual(events.map(({ id, event }) => [id, event]), [[revoked.id, "deleted"]]);
});

Deno.test("planTimeline() foretells what then happens", () => {
  fc.assert(
    fc.property(policies, fc.integer({ min: 1, max: 4 }), (policy, rotations) => {
      const world = new World(policy);
      const { now } = world;
      const until = now + rotations * policy.rotation;
      const signers = planTimeline(world.keys, now, until, policy).events
        .filter(({ event }) => event === "signs").map(({ at }) => at);
      for (const at of signers) {
        world.now = at;
        world.maintain();
        assert.equal(activeKey(world.keys, at)!.signFrom, at);
      }
      assert.equal(signers.length, rotations);
    }),
    { numRuns: 100 },
  );
});

Deno.test("planTimeline() of a century of short rotations ends early, and says where", () => {
  const { keys, now } = new World(SHORT);
  const { events, cutAt } = planTimeline(keys, now, now + 100 * YEAR, SHORT);
  assert.ok(cutAt !== undefined && now < cutAt && cutAt < now + YEAR);
  assert.ok(1000 <= events.length && events.length <= 6000, `${events.length} events`);
  assert.ok(events.every(({ at }) => at < cutAt));
});

Deno.test("planTimeline() leaves out nothing before the moment where it ends early", () => {
  for (const tokenTtl of [60, DAY]) {
    const policy = { ...SHORT, tokenTtl };
    const { keys, now } = new World(policy);
    const { events, cutAt } = planTimeline(keys, now, now + 100 * YEAR, policy);
    const whole = planTimeline(keys, now, cutAt! - 1, policy);
    assert.equal(whole.cutAt, undefined);
    assert.equal(planTimeline(keys, now, cutAt!, policy).cutAt, cutAt, "it ends no sooner");
    assert.deepEqual(events, whole.events);
    const signers = events.filter(({ event }) => event === "signs").map(({ at }) => at);
    const first = activeKey(keys, now)!.signUntil;
    assert.deepEqual(signers, signers.map((_, index) => first + index * SHORT.rotation));
    assert.ok(signers.at(-1)! >= cutAt! - SHORT.rotation, "it ends where a signer is missing");
  }
});

Deno.test("planTimeline() of a year of usual rotations is whole", () => {
  const { keys, now } = new World(POLICY);
  const { events, cutAt } = planTimeline(keys, now, now + YEAR, POLICY);
  assert.equal(cutAt, undefined);
  assert.equal(events.filter(({ event }) => event === "signs").length, 12);
  assert.equal(events.findLast(({ event }) => event === "signs")!.at, now + 360 * DAY);
});
