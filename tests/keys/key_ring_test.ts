import assert from "node:assert/strict";
import fc from "fast-check";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { KeyEncryption } from "../../lib/sealing/key_encryption.ts";
import { KeyPool } from "../../lib/keys/key_pool.ts";
import { KeyRing } from "../../lib/keys/key_ring.ts";
import { createLog } from "../../lib/base/log.ts";
import { isBornExpired, keyState } from "../../lib/rotation/policy.ts";
import type { PrivateJwk } from "../../lib/keys/signing_key.ts";
import { SqliteDatabase } from "../../lib/storage/sqlite/database.ts";
import { SqliteStorage } from "../../lib/storage/sqlite/sqlite_storage.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { TokenIssuer } from "../../lib/tokens/token_issuer.ts";
import {
  CHEAP,
  FakeClock,
  ISSUER,
  makeRing,
  POLICY,
  pregeneratedKey,
  SECRET,
  withTempDir,
} from "../support.ts";

const DAY = 86_400;
const SILENT = createLog("error", () => {});

async function openRing(
  storage: Storage,
  time: FakeClock,
  { pool = new KeyPool(pregeneratedKey), policy = POLICY } = {},
) {
  const encryption = await KeyEncryption.establish(storage, SECRET, CHEAP);
  return await KeyRing.open({
    storage,
    encryption,
    pool,
    policy,
    clock: time.clock,
    log: SILENT,
  });
}

function publishedKids(ring: KeyRing): string[] {
  const { keys } = JSON.parse(new TextDecoder().decode(ring.published()!.body)) as JSONWebKeySet;
  return keys.map((key) => key.kid!);
}

Deno.test("KeyRing.open() returns when the first of the keys in the making can sign", async () => {
  const storage = new SqliteStorage(SqliteDatabase.open(":memory:"));
  const rest = Promise.withResolvers<PrivateJwk>();
  let generated = 0;
  const pool = new KeyPool(() => generated++ === 0 ? pregeneratedKey() : rest.promise);
  const ring = await openRing(storage, new FakeClock(), { pool });
  assert.equal(ring.keys.length, 1);
  assert.deepEqual(publishedKids(ring), [(await ring.signer()).kid]);

  rest.resolve(await pregeneratedKey());
  await ring.maintain();
  const states = ring.keys.map((key) => keyState(key, Math.floor(ring.keys[0]!.kid / 1000)));
  assert.deepEqual(states.toSorted(), ["active", "born expired", "next"]);
});

Deno.test("KeyRing.open() refuses a storage in which a row was altered, by its kid", async () => {
  const { storage, database, ring, time } = await makeRing();
  const { kid } = ring.keys[0]!;
  database.run("UPDATE keys SET exp = exp + 1 WHERE kid = ?", kid);
  await assert.rejects(openRing(storage, time), { name: "KeyUnreadableError", kid });
});

Deno.test("KeyRing gives kids that are the millisecond of their making, each one once", async () => {
  const { ring, time } = await makeRing(); // the clock stands still while three keys are made
  assert.deepEqual(ring.keys.map(({ kid }) => kid), [time.now, time.now + 1, time.now + 2]);
  for (const key of ring.keys) assert.equal(key.signing.kid, String(key.kid));
});

Deno.test("KeyRing.maintain() makes one next key when the last one turns active", async () => {
  const { ring, time } = await makeRing();
  const next = ring.keys.find((key) => keyState(key, time.now / 1000) === "next")!;
  time.advance(POLICY.rotation);
  await ring.maintain();
  assert.equal((await ring.signer()).kid, String(next.kid));
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
  const { keys } = JSON.parse(new TextDecoder().decode(ring.published()!.body)) as JSONWebKeySet;
  for (const key of keys) {
    assert.deepEqual(Object.keys(key).toSorted(), ["alg", "e", "kid", "kty", "n", "use"]);
  }
  const bornExpired = String(ring.keys.find(isBornExpired)!.kid);
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
  await withTempDir(async (directory) => {
    const time = new FakeClock();
    const open = () => new SqliteStorage(SqliteDatabase.open(`${directory}/keys.db`));
    const storages = [open(), open()];
    const rings = await Promise.all(storages.map((storage) => openRing(storage, time)));
    for (let rotation = 0; rotation < 5; rotation++) {
      await Promise.all(rings.map((ring) => ring.maintain()));
      const now = time.now / 1000;
      const next = rings[0]!.keys.filter((key) => keyState(key, now) === "next");
      assert.equal(next.length, 1);
      assert.equal(rings[0]!.keys.filter(isBornExpired).length, 1);
      time.advance(POLICY.rotation);
    }
    const signers = await Promise.all(rings.map((ring) => ring.signer()));
    assert.equal(signers[0]!.kid, signers[1]!.kid);
    for (const storage of storages) await storage.close();
  });
});

Deno.test("KeyRing.signer() uses a key that another process made, without a poll", async () => {
  await withTempDir(async (directory) => {
    const time = new FakeClock();
    const open = () => new SqliteStorage(SqliteDatabase.open(`${directory}/keys.db`));
    const storages = [open(), open()] as const;
    const [one, other] = [await openRing(storages[0], time), await openRing(storages[1], time)];
    await one.maintain();
    time.advance(100 * DAY); // every key is over
    const { kid } = await one.signer();
    assert.equal((await other.signer()).kid, kid);
    assert.equal(other.emergencies, 0);
    for (const storage of storages) await storage.close();
  });
});

Deno.test("KeyRing puts nothing half-way when the storage fails, and goes on afterwards", async () => {
  let isFailing = false;
  const { ring, time, storage } = await makeRing({
    wrap: (own) =>
      new Proxy(own, {
        get(target, name) {
          if (name === "changeKeys" && isFailing) return () => Promise.reject(new Error("no disk"));
          const value = Reflect.get(target, name);
          return typeof value === "function" ? value.bind(target) : value;
        },
      }),
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
        if (restarts) ring = await openRing(storage, time, { policy });
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
  const set: JSONWebKeySet = JSON.parse(new TextDecoder().decode(ring.published()!.body));
  const options = { currentDate: new Date(time.now) };
  const { payload } = await jwtVerify(token, createLocalJWKSet(set), options);
  assert.equal(payload.sub, "alice");
}
