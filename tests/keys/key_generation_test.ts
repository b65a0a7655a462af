import assert from "node:assert/strict";
import { generatePrivateJwk, type PrivateJwk } from "../../lib/keys/signing_key.ts";
import { revoke } from "../../lib/rotation/operations.ts";
import { keyState, publishedKeys } from "../../lib/rotation/policy.ts";
import type { KeyChange } from "../../lib/storage/storage.ts";
import { makeRing, openStorage, POLICY, wrapStorage } from "../support.ts";
import { keyIn, linesWith, poolOf, publishedKids, rowOf } from "./rings.ts";

const ES256 = { alg: "ES256" } as const;

/** A ring whose keys are made until `gate` is there; then they are what it becomes. */
async function makeGatedRing() {
  const changes: KeyChange[] = [];
  const gate: { current?: Promise<PrivateJwk> } = {};
  const made = await makeRing({
    policy: ES256,
    storage: wrapStorage(openStorage(), (own) => ({
      async changeKeys(expected, change) {
        changes.push(change);
        return await own.changeKeys(expected, change);
      },
    })),
    parts: { pool: poolOf((alg) => gate.current ?? generatePrivateJwk(alg)) },
  });
  return { ...made, changes, gate };
}

Deno.test("KeyRing.maintain() prolongs the active key before the late next one is made", async () => {
  const { ring, time, changes, gate, storage } = await makeGatedRing();
  const { kid, id, signUntil } = keyIn("next", ring, time);
  time.now = (signUntil - 10) * 1000; // nobody was there since it became active
  const generation = Promise.withResolvers<PrivateJwk>();
  gate.current = generation.promise;
  changes.length = 0;
  const maintained = ring.maintain();
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve));
  await ring.signer(); // by now it waits for the generation
  assert.equal(changes.length, 1);
  assert.deepEqual(changes[0]!.put.map((row) => row.id), [id]);
  const prolonged = keyIn("active", ring, time);
  assert.equal(prolonged.signUntil, time.seconds + POLICY.prepublish);
  assert.equal((await rowOf(storage, id)).exp, prolonged.exp);
  time.advance(3600); // past its old end
  assert.equal((await ring.signer()).kid, kid);
  assert.equal(ring.emergencies, 0);

  generation.resolve(await generatePrivateJwk("ES256"));
  delete gate.current;
  await maintained;
  const next = keyIn("next", ring, time);
  assert.ok(next.signFrom >= time.seconds + POLICY.prepublish, "caches could not know it");
  assert.equal(keyIn("active", ring, time).signUntil, next.signFrom);
  assert.equal((await ring.signer()).kid, kid);
});

Deno.test("KeyRing.change() stores a revocation although no successor can be made, and says so", async () => {
  const { ring, time, gate, storage, lines } = await makeGatedRing();
  gate.current = Promise.reject(new Error("no entropy"));
  gate.current.catch(() => {});
  const doomed = publishedKids(ring);
  await ring.change((held, now) => ({
    change: publishedKeys(held, now).flatMap((key) => revoke(key, now)),
  }));
  for (const kid of doomed) {
    assert.equal((await rowOf(storage, Number(kid))).exp, time.seconds, "it is stored");
  }
  assert.equal(linesWith(lines, "no key can be made").length, 1);
  assert.ok(linesWith(lines, "no entropy").length > 0);
  assert.equal(linesWith(lines, "a new one signs at once").length, 0, "there is no new one");
  await assert.rejects(ring.maintain(), /no entropy/);
  assert.deepEqual(publishedKids(ring), []);

  delete gate.current;
  const { kid } = await ring.signer();
  assert.ok(!doomed.includes(kid));
  assert.equal(ring.emergencies, 1);
});

Deno.test("KeyRing.change() waits for a successor that is in the making, and decides anew", async () => {
  const { ring, time, gate, storage, changes } = await makeGatedRing();
  const generation = Promise.withResolvers<PrivateJwk>();
  gate.current = generation.promise;
  changes.length = 0;
  let decisions = 0;
  const changed = ring.change((held, now) => {
    decisions++;
    generation.resolve(generatePrivateJwk("ES256"));
    return { change: publishedKeys(held, now).flatMap((key) => revoke(key, now)) };
  });
  await changed;
  assert.equal(decisions, 2);
  assert.equal(changes.length, 1, "one transaction");
  assert.equal(changes[0]!.put.length, 3, "two revoked, and the successor");
  assert.equal((await storage.readKeys()).records.length, 4);
  await ring.maintain();
  assert.equal(ring.keys.filter((key) => keyState(key, time.seconds) === "active").length, 1);
});
