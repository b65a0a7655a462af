import assert from "node:assert/strict";
import { KeyRing } from "../../lib/keys/key_ring.ts";
import { insertNext, passiveSchedule, revoke, rotateNow } from "../../lib/rotation/operations.ts";
import { activeKey, keyState, publishedKeys } from "../../lib/rotation/policy.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { FakeClock, makeRing, POLICY, pregeneratedKey, ringParts } from "../support.ts";
import { DAY, force, publishedKids, putRows, reseal, rowOf, withStorages } from "./rings.ts";

interface TwoRings {
  server: KeyRing;
  command: KeyRing;
  time: FakeClock;
  /** The command's. */
  storage: Storage;
  /** What the server logged. */
  lines: string[];
}

/** Two processes on one database file, as a server and a command are. */
async function withTwoRings(body: (rings: TwoRings) => Promise<void>): Promise<void> {
  await withStorages(async (open) => {
    const time = new FakeClock();
    const { ring: server, lines } = await makeRing({ storage: open(), time });
    const storage = open();
    const command = await KeyRing.load(await ringParts({ storage, time }));
    await body({ server, command, time, storage, lines });
  });
}

Deno.test("KeyRing.change() of one process is seen by the next signature of another", async () => {
  await withTwoRings(async ({ server, command, time }) => {
    const before = await server.signer();
    await command.change(force);
    const after = await server.signer();
    assert.notEqual(after.kid, before.kid);
    await command.change((held, now) => ({ change: revoke(activeKey(held, now)!, now) }));
    const last = await server.signer();
    assert.ok(![before.kid, after.kid].includes(last.kid));
    assert.ok(!publishedKids(server).includes(after.kid));
    assert.ok(publishedKeys(server.keys, time.seconds).every(({ kid }) => kid !== after.kid));
  });
});

Deno.test("KeyRing.change() makes a successor in the same transaction when the last key is revoked", async () => {
  const { ring, storage, time, lines } = await makeRing();
  await ring.change((held, now) => ({
    change: publishedKeys(held, now).flatMap((key) => revoke(key, now)),
  }));
  const stored = await storage.readKeys();
  assert.equal(stored.records.length, 4, "born expired, two revoked, and the successor");
  await ring.maintain();
  const now = time.seconds;
  assert.equal(ring.keys.filter((key) => keyState(key, now) === "active").length, 1);
  assert.equal(ring.keys.filter((key) => keyState(key, now) === "revoked").length, 2);
  assert.equal(ring.emergencies, 1);
  assert.ok(lines.some((line) => line.includes("a new one signs at once")));
  const reopened = await storage.readKeys();
  assert.equal(reopened.records.length, ring.keys.length);
});

Deno.test("KeyRing.change() that is refused changes nothing", async () => {
  const { ring, storage } = await makeRing();
  const before = await storage.readKeys();
  const refused = ring.change((held, now) => ({
    change: rotateNow(held, now, POLICY, { force: false }),
  }));
  await assert.rejects(refused, /not published for long enough/);
  assert.deepEqual(await storage.readKeys(), before);
});

Deno.test("KeyRing.change() keeps the kid of an added key, beside a row's number of its own", async () => {
  const { ring, time } = await makeRing();
  const jwk = { ...await pregeneratedKey(), kid: "old-issuer" };
  await ring.change((_, now) => ({
    change: [],
    add: { schedule: passiveSchedule(now, DAY), jwk },
  }));
  await ring.maintain();
  const key = ring.keys.find(({ kid }) => kid === "old-issuer")!;
  assert.ok(key.id >= time.now);
  const text = ring.published()!.text;
  assert.ok(text.includes('"kid":"old-issuer"'));
  time.advance(DAY);
  assert.ok(!ring.published()!.text.includes("old-issuer"));
});

Deno.test("KeyRing.change() lets an added next key sign in its turn, under the kid it came with", async () => {
  const { ring, time } = await makeRing();
  const jwk = { ...await pregeneratedKey(), kid: "old-issuer" };
  await ring.change((held, now) => {
    const { schedule, moved } = insertNext(held, now, POLICY);
    return { change: moved, add: { schedule, jwk } };
  });
  time.advance(POLICY.rotation);
  assert.equal((await ring.signer()).kid, "old-issuer");
  time.advance(POLICY.rotation);
  assert.notEqual((await ring.signer()).kid, "old-issuer");
});

Deno.test("KeyRing under an old secret goes on signing, writes nothing, and obeys revocation", async () => {
  await withTwoRings(async ({ server, time, storage, lines }) => {
    const { kid } = await server.signer();
    const next = await reseal(storage);

    assert.equal((await server.signer()).kid, kid);
    assert.ok(lines.some((line) => line.includes("secret of the database was changed")));
    await assert.rejects(server.change(force), {
      code: "conflict",
      message: /secret of the database was changed/,
    });

    const resealed = await storage.readKeys();
    time.advance(POLICY.rotation); // a new key would be due
    await server.maintain();
    assert.deepEqual(await storage.readKeys(), resealed);
    const second = await server.signer();

    const doomed = server.keys.find((key) => key.kid === second.kid)!;
    const [revoked] = revoke(doomed, time.seconds);
    const { jwk } = await next.open(await rowOf(storage, doomed.id));
    await putRows(storage, await next.seal(revoked!, jwk));
    await assert.rejects(server.signer(), { code: "overloaded" });
    assert.ok(!publishedKids(server).includes(second.kid));
  });
});
