import assert from "node:assert/strict";
import fc from "fast-check";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { isDomainError } from "../../lib/base/errors.ts";
import type { SigningAlgorithm } from "../../lib/keys/algorithms.ts";
import { KeyPool } from "../../lib/keys/key_pool.ts";
import { KeyRing } from "../../lib/keys/key_ring.ts";
import type { PrivateJwk } from "../../lib/keys/signing_key.ts";
import { isBornExpired, keyState } from "../../lib/rotation/policy.ts";
import { TokenIssuer } from "../../lib/tokens/token_issuer.ts";
import {
  failureOf,
  FakeClock,
  ISSUER,
  makeRing,
  openStorage,
  POLICY,
  pregeneratedKey,
  ringParts,
  wrapStorage,
} from "../support.ts";
import {
  DAY,
  keyIn,
  makeRingOverDatabase,
  openRing,
  publishedKeys,
  publishedKids,
  withStorages,
} from "./rings.ts";

Deno.test("KeyRing.open() returns when the first of the keys in the making can sign", async () => {
  const time = new FakeClock();
  const rest = Promise.withResolvers<PrivateJwk>();
  let generated = 0;
  const generate = () => generated++ === 0 ? pregeneratedKey() : rest.promise;
  const pool = new KeyPool<SigningAlgorithm, PrivateJwk>(generate);
  const ring = await openRing({ time, parts: { pool } });
  assert.equal(ring.keys.length, 1);
  assert.deepEqual(publishedKids(ring), [(await ring.signer()).kid]);

  rest.resolve(await pregeneratedKey());
  await ring.maintain();
  const states = ring.keys.map((key) => keyState(key, time.seconds));
  assert.deepEqual(states.toSorted(), ["active", "born expired", "next"]);
});

Deno.test("KeyRing.open() refuses a storage in which a row was altered, by its number", async () => {
  const { storage, database, ring, time } = await makeRingOverDatabase();
  const { id } = ring.keys[0]!;
  database.run("UPDATE keys SET exp = exp + 1 WHERE kid = ?", id);
  const parts = await ringParts({ storage, time });
  const error = await failureOf(() => KeyRing.open(parts));
  assert.ok(isDomainError(error, "key_unreadable"));
  assert.equal(error.data.row, String(id));
  const tolerant = await KeyRing.load(parts);
  assert.deepEqual(tolerant.refused.map((row) => row.id), [String(id)]);
  assert.equal(tolerant.keys.length, ring.keys.length - 1);
});

Deno.test("KeyRing gives kids that are the millisecond of their making, each one once", async () => {
  const { ring, time } = await makeRing(); // the clock stands still while three keys are made
  assert.deepEqual(ring.keys.map(({ id }) => id), [time.now, time.now + 1, time.now + 2]);
  for (const key of ring.keys) assert.equal(key.kid, String(key.id));
});

Deno.test("KeyRing.maintain() makes one next key when the last one turns active", async () => {
  const { ring, time } = await makeRing();
  const next = keyIn("next", ring, time);
  time.advance(POLICY.rotation);
  await ring.maintain();
  assert.equal((await ring.signer()).kid, next.kid);
  assert.equal(publishedKids(ring).length, 3, "passive, active and next");
  await ring.maintain();
  assert.equal(publishedKids(ring).length, 3, "and no more of them");
});

Deno.test("KeyRing.signer() finds a key by itself when no poll came after an outage", async () => {
  const { ring, time } = await makeRing();
  time.advance(400 * DAY);
  const signer = await ring.signer();
  assert.ok(publishedKids(ring).includes(signer.kid));
  assert.equal(ring.emergencies, 1);
});

Deno.test("KeyRing.published() never holds a private member or the born-expired key", async () => {
  const { ring } = await makeRing();
  const keys = publishedKeys(ring);
  assert.equal(keys.length, 2);
  for (const key of keys) {
    assert.deepEqual(Object.keys(key).toSorted(), ["alg", "e", "kid", "kty", "n", "use"]);
  }
  const bornExpired = ring.keys.find(isBornExpired)!.kid;
  assert.ok(keys.every(({ kid }) => kid !== bornExpired));
  assert.equal((await ring.expiredSigner()).kid, bornExpired);
});

Deno.test("KeyRing.published() is the same object until the set changes, and reads no storage", async () => {
  const { ring, storage, time } = await makeRing();
  const before = ring.published();
  await ring.maintain();
  await storage.close();
  assert.equal(ring.published(), before);
  time.advance(POLICY.rotation + POLICY.tokenTtl + POLICY.clockSkew - 1);
  assert.equal(ring.published(), before);
  time.advance(1);
  assert.notEqual(ring.published()!.etag, before!.etag);
});

Deno.test("KeyRing.expiredSigner() is refused when expired tokens are switched off", async () => {
  const { ring } = await makeRing({ policy: { expiredTokens: false } });
  await assert.rejects(ring.expiredSigner(), { code: "invalid_request" });
  assert.equal(ring.keys.length, 2);
});

Deno.test("KeyRing of two processes on one database make one next key between them", async () => {
  await withStorages(async (open) => {
    const time = new FakeClock();
    const rings = await Promise.all([open(), open()].map((storage) => openRing({ storage, time })));
    for (let rotation = 0; rotation < 5; rotation++) {
      await Promise.all(rings.map((ring) => ring.maintain()));
      const next = rings[0]!.keys.filter((key) => keyState(key, time.seconds) === "next");
      assert.equal(next.length, 1);
      assert.equal(rings[0]!.keys.filter(isBornExpired).length, 1);
      time.advance(POLICY.rotation);
    }
    const signers = await Promise.all(rings.map((ring) => ring.signer()));
    assert.equal(signers[0]!.kid, signers[1]!.kid);
  });
});

Deno.test("KeyRing.signer() uses a key that another process made, without a poll", async () => {
  await withStorages(async (open) => {
    const time = new FakeClock();
    const one = await openRing({ storage: open(), time });
    const other = await openRing({ storage: open(), time });
    await one.maintain();
    time.advance(100 * DAY); // every key is over
    const { kid } = await one.signer();
    assert.equal((await other.signer()).kid, kid);
    assert.equal(other.emergencies, 0);
  });
});

Deno.test("KeyRing puts nothing half-way when the storage fails, and goes on afterwards", async () => {
  let isFailing = false;
  const { ring, time, storage } = await makeRing({
    storage: wrapStorage(openStorage(), (own) => ({
      changeKeys: async (...change) => {
        if (isFailing) throw new Error("no disk");
        return await own.changeKeys(...change);
      },
    })),
  });
  const before = await storage.readKeys();
  isFailing = true;
  time.advance(POLICY.rotation);
  await assert.rejects(ring.maintain(), /no disk/);
  assert.deepEqual(await storage.readKeys(), before);
  assert.equal((await ring.signer()).kid, publishedKids(ring)[1], "the next key took over");

  isFailing = false;
  await ring.maintain();
  assert.equal(publishedKids(ring).length, 3);
});

Deno.test("KeyRing's tokens verify against the published set for all of their life, over years", async () => {
  const policy = { ...POLICY, tokenTtl: 20 * DAY };
  const pauses = fc.tuple(fc.integer({ min: 1, max: 45 * DAY }), fc.boolean());
  await fc.assert(
    fc.asyncProperty(fc.array(pauses, { maxLength: 20 }), async (list) => {
      const { ring: first, storage, time } = await makeRing({ policy });
      let ring = first;
      let live: { token: string; exp: number }[] = [];
      for (const [pause, restarts] of list) {
        time.advance(pause);
        if (restarts) ring = await openRing({ storage, time, policy });
        else await ring.maintain();
        live = live.filter(({ exp }) => time.now / 1000 < exp);
        live.push(await issue(ring, time, policy.tokenTtl));
        for (const { token } of live) await assertVerifies(token, ring, time);
      }
      await storage.close();
    }),
    { numRuns: 25 },
  );
});

async function issue(ring: KeyRing, { clock, now }: FakeClock, tokenTtl: number) {
  const parts = { ring, clock, issuer: ISSUER, audience: ISSUER, ...POLICY, tokenTtl };
  const { token, expiresIn } = await new TokenIssuer(parts).issue("alice");
  return { token, exp: now / 1000 + expiresIn };
}

async function assertVerifies(token: string, ring: KeyRing, time: FakeClock): Promise<void> {
  const set: JSONWebKeySet = JSON.parse(ring.published()!.text);
  const options = { currentDate: new Date(time.now) };
  const { payload } = await jwtVerify(token, createLocalJWKSet(set), options);
  assert.equal(payload.sub, "alice");
}
