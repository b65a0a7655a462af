import assert from "node:assert/strict";
import fc from "fast-check";
import { planLives, type PublicKey } from "../../../lib/http/page/key_lives.ts";
import { placeOf, segmentsOf, spanAround, ticksOf } from "../../../lib/http/page/timeline_shape.ts";
import { scheduleKey } from "../../../lib/rotation/policy.ts";
import { FakeClock, makeRing, POLICY } from "../../support.ts";
import { DAY } from "../../keys/rings.ts";

const NOW = 1_900_000_000;
const SPAN = { start: 1000, end: 2000 };

function key(number: number, signFrom: number, others: Partial<PublicKey> = {}): PublicKey {
  const id = (NOW - 50 * DAY + number) * 1000;
  return { id, kid: `key-${number}`, alg: "ES256", ...scheduleKey(signFrom, POLICY), ...others };
}

function plan(keys: readonly PublicKey[]) {
  return planLives(keys, NOW, NOW + 48 * DAY, POLICY);
}

Deno.test("planLives() shows the published keys and those to come, as the ring then makes them", async () => {
  const time = new FakeClock();
  const { ring } = await makeRing({ time, policy: { alg: "ES256" } });
  const { lives, rows, omitted } = planLives(
    ring.keys,
    time.seconds,
    time.seconds + 48 * DAY,
    POLICY,
  );
  assert.deepEqual(rows.map(({ state, next }) => [state, next.event]), [
    ["active", "retires"],
    ["next", "signs"],
  ]);
  assert.equal(omitted, 0);
  const [active, next, coming] = lives;
  assert.deepEqual([active!.key, next!.key], [ring.keys[0], ring.keys[1]]);
  assert.equal(active!.signUntil, next!.signFrom);
  assert.equal(coming!.key, undefined);
  assert.equal(coming!.publishedAt, next!.signFrom);
  time.now = coming!.publishedAt * 1000;
  await ring.maintain();
  assert.equal(Math.floor(ring.keys.at(-1)!.id / 1000), coming!.publishedAt);
});

Deno.test("planLives() shows nothing of keys that are not published", () => {
  const gone = [
    key(1, NOW - 90 * DAY), // expired
    key(2, NOW - 20 * DAY, { revokedAt: NOW - 1, exp: NOW - 1 }),
    key(3, 0, { signFrom: NOW - 3600, signUntil: NOW - 3600, exp: NOW - 3600 }), // born expired
  ];
  const { lives, rows } = plan([...gone, key(4, NOW - DAY), key(5, NOW + 29 * DAY)]);
  assert.deepEqual(rows.map(({ kid }) => kid), ["key-4", "key-5"]);
  assert.equal(lives.filter(({ key }) => key !== undefined).length, 2);
  assert.deepEqual(plan(gone).rows, []);
});

Deno.test("planLives() says when a retired key leaves, and a late successor makes the signer go on", () => {
  const passive = key(1, NOW - 30 * DAY - 60);
  const { rows } = plan([passive, key(2, NOW - 60), key(3, NOW + 30 * DAY - 60)]);
  assert.deepEqual(rows[0]!.next, { at: passive.exp, event: "leaves" });
  assert.equal(rows[0]!.state, "passive");
  const alone = plan([key(1, NOW - 30 * DAY + 60)]);
  assert.deepEqual(alone.rows[0]!.next, { at: NOW + POLICY.prepublish, event: "retires" });
});

Deno.test("planLives() shows few keys of many, the signer and the next among them", () => {
  const retired = Array.from({ length: 5000 }, (_, place) => {
    return key(place, 0, { signFrom: 0, signUntil: NOW - 10_000 + place, exp: NOW + DAY + place });
  });
  const { rows, lives, omitted } = plan([
    ...retired,
    key(6000, NOW - DAY),
    key(6001, NOW + 29 * DAY),
  ]);
  assert.equal(rows.length, 8);
  assert.equal(omitted, 5002 - 8);
  assert.ok(lives.length <= 10);
  assert.deepEqual(rows.slice(-2).map(({ state }) => state), ["active", "next"]);
  assert.ok(rows.some(({ kid }) => kid === "key-4999"));
});

Deno.test("segmentsOf() draws the parts of a life side by side, within the span", () => {
  const life = {
    key: undefined,
    publishedAt: 900,
    signFrom: 1200,
    signUntil: 1700,
    leavesAt: 1800,
  };
  assert.deepEqual(segmentsOf(life, SPAN), [
    { phase: "announced", x: 0, width: 20 },
    { phase: "signs", x: 20, width: 50 },
    { phase: "verifies", x: 70, width: 10 },
  ]);
  assert.deepEqual(segmentsOf({ ...life, signFrom: 0, signUntil: 1 }, SPAN), [
    { phase: "verifies", x: 0, width: 80 },
  ]);
  const endless = { ...life, publishedAt: 1950, signFrom: Infinity, signUntil: Infinity };
  assert.deepEqual(segmentsOf({ ...endless, leavesAt: Infinity }, SPAN), [
    { phase: "announced", x: 95, width: 5 },
  ]);
  assert.deepEqual(segmentsOf({ ...endless, publishedAt: 1999, leavesAt: Infinity }, SPAN), [
    { phase: "announced", x: 99.4, width: 0.6 },
  ]);
});

Deno.test("segmentsOf() stays within the picture and can be seen, whatever a life is", () => {
  const times = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 4, maxLength: 4 });
  fc.assert(fc.property(times, (moments) => {
    const [publishedAt, signFrom, signUntil, leavesAt] = moments.toSorted((a, b) => a - b);
    const life = { key: undefined, publishedAt, signFrom, signUntil, leavesAt };
    for (const { x, width } of segmentsOf(life as Parameters<typeof segmentsOf>[0], SPAN)) {
      assert.ok(x >= 0 && width >= 0.6 && x + width <= 100 + 1e-9);
    }
  }));
});

Deno.test("spanAround() and ticksOf() have now and a few named moments in the picture, at any rotation", () => {
  const short = fc.integer({ min: 360, max: 7 * DAY });
  const rotations = fc.oneof(short, fc.integer({ min: 360, max: 10 * 365 * DAY }));
  fc.assert(fc.property(rotations, fc.integer({ min: 0, max: NOW }), (rotation, earliest) => {
    const span = spanAround(NOW, rotation, earliest);
    const place = placeOf(NOW, span);
    assert.ok(place > 2 && place < 25);
    const ticks = ticksOf(span);
    assert.ok(ticks.length >= 2 && ticks.length <= 9, String(ticks.length));
    const days = ticks.map(({ label }) => label).join(" | ").split(/(?=\b\d+ [A-Z])/);
    for (const labels of [days, ...days.map((day) => day.split(" | ").filter(Boolean))]) {
      assert.equal(new Set(labels).size, labels.length, labels.join());
    }
    assert.ok(ticks.every(({ x }) => x >= 0 && x <= 100));
  }));
  const labels = (rotation: number) => ticksOf(spanAround(NOW, rotation, NOW))[0]!.label;
  assert.deepEqual([360, 30 * DAY, 3650 * DAY].map(labels), ["17:50", "21 Mar", "Oct 2029"]);
});

Deno.test("planLives() shows the signer and those that sign soonest of many that wait", () => {
  // As imported keys are: the one that was made last signs first.
  const waiting = Array.from({ length: 10 }, (_, place) => key(place, NOW + (11 - place) * DAY));
  const { rows, omitted } = plan([...waiting, key(20, NOW - DAY)]);
  assert.deepEqual(
    rows.map(({ kid }) => kid),
    [20, 9, 8, 7, 6, 5, 4, 3].map((number) => `key-${number}`),
  );
  assert.equal(rows[0]!.state, "active");
  assert.equal(omitted, 3);
});
