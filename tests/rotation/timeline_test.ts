import assert from "node:assert/strict";
import fc from "fast-check";
import { planTimeline } from "../../lib/rotation/timeline.ts";
import { activeKey, keyState } from "../../lib/rotation/policy.ts";
import { policies, World } from "./key_simulation.ts";
import { POLICY } from "../support.ts";

const DAY = 86_400;

Deno.test("planTimeline() tells each key's life in the order of time", () => {
  const { keys, now } = new World(POLICY);
  const active = activeKey(keys, now)!;
  const events = planTimeline(keys, now, now + 40 * DAY, POLICY);
  assert.deepEqual(events.filter(({ kid }) => kid === active.kid).map(({ event }) => event), [
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
  const events = planTimeline(world.keys, world.now, world.now + 10 * DAY, POLICY);
  assert.deepEqual(events.map(({ kid, event }) => [kid, event]), [[revoked.kid, "deleted"]]);
});

Deno.test("planTimeline() foretells what then happens", () => {
  fc.assert(
    fc.property(policies, fc.integer({ min: 1, max: 4 }), (policy, rotations) => {
      const world = new World(policy);
      const { now } = world;
      const until = now + rotations * policy.rotation;
      const signers = planTimeline(world.keys, now, until, policy)
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
