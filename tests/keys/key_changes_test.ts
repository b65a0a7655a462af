import assert from "node:assert/strict";
import { KeyEncryption } from "../../lib/sealing/key_encryption.ts";
import { insertNext, passiveSchedule, revoke, rotateNow } from "../../lib/rotation/operations.ts";
import { KeyPool } from "../../lib/keys/key_pool.ts";
import { KeyRing } from "../../lib/keys/key_ring.ts";
import { activeKey, keyState, publishedKeys } from "../../lib/rotation/policy.ts";
import { SqliteDatabase } from "../../lib/storage/sqlite/database.ts";
import { SqliteStorage } from "../../lib/storage/sqlite/sqlite_storage.ts";
import {
  CHEAP,
  FakeClock,
  makeRing,
  POLICY,
  pregeneratedKey,
  recordingLog,
  SECRET,
  withTempDir,
} from "../support.ts";

const DAY = 86_400;

/** Two processes on one database file, as a server and a command are. */
async function withTwoRings(
  body: (
    server: KeyRing,
    command: KeyRing,
    time: FakeClock,
    storage: SqliteStorage,
    log: string[],
  ) => Promise<void>,
): Promise<void> {
  await withTempDir(async (directory) => {
    const time = new FakeClock();
    const { log, lines } = recordingLog();
    const open = async () => {
      const storage = new SqliteStorage(SqliteDatabase.open(`${directory}/keys.db`));
      const encryption = await KeyEncryption.establish(storage, SECRET, CHEAP);
      const pool = new KeyPool(pregeneratedKey);
      const parts = { storage, encryption, pool, policy: POLICY, clock: time.clock, log };
      return { ring: await KeyRing.open(parts), storage };
    };
    const [server, command] = [await open(), await open()];
    await server.ring.maintain();
    try {
      await body(server.ring, command.ring, time, command.storage, lines);
    } finally {
      await server.storage.close();
      await command.storage.close();
    }
  });
}

const force = (held: Parameters<typeof rotateNow>[0], now: number) => ({
  change: rotateNow(held, now, POLICY, { force: true }),
});

Deno.test("KeyRing.change() of one process is seen by the next signature of another", async () => {
  await withTwoRings(async (server, command, time) => {
    const before = await server.signer();
    await command.change(force);
    const after = await server.signer();
    assert.notEqual(after.kid, before.kid);
    await command.change((held, now) => ({ change: revoke(activeKey(held, now)!, now) }));
    const last = await server.signer();
    assert.ok(![before.kid, after.kid].includes(last.kid));
    const published = publishedKeys(server.keys, time.now / 1000);
    assert.ok(published.every(({ signing }) => signing.kid !== after.kid));
  });
});

Deno.test("KeyRing.change() makes a successor in the same transaction when the last key is revoked", async () => {
  const { ring, storage, time, lines } = await makeRing();
  await ring.change((held, now) => ({
    change: publishedKeys(held, now).flatMap((key) => revoke(key, now)),
  }));
  const now = time.now / 1000;
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
  const key = ring.keys.find(({ signing }) => signing.kid === "old-issuer")!;
  assert.ok(key.kid >= time.now);
  const text = new TextDecoder().decode(ring.published()!.body);
  assert.ok(text.includes('"kid":"old-issuer"'));
  time.advance(DAY);
  assert.ok(!new TextDecoder().decode(ring.published()!.body).includes("old-issuer"));
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
  await withTwoRings(async (server, _command, time, storage, lines) => {
    const { kid } = await server.signer();
    const next = await KeyEncryption.create("another secret altogether", CHEAP);
    const snapshot = await storage.readKeys();
    const old = await KeyEncryption.unlock(SECRET, (await storage.readKeyEncryption())!);
    const records = await Promise.all(snapshot.records.map(async (record) => {
      const { schedule, jwk } = await old.open(record);
      return await next.seal(schedule, jwk);
    }));
    assert.ok(await storage.rekey(snapshot, records, next.record));

    assert.equal((await server.signer()).kid, kid);
    assert.ok(lines.some((line) => line.includes("secret of the database was changed")));
    await assert.rejects(server.change(force), /secret of the database was changed/);

    const resealed = await storage.readKeys();
    time.advance(POLICY.rotation); // a new key would be due
    await server.maintain();
    assert.deepEqual(await storage.readKeys(), resealed);
    const second = await server.signer();

    const doomed = server.keys.find(({ signing }) => signing.kid === second.kid)!;
    const now = time.now / 1000;
    const [revoked] = revoke(doomed, now);
    const { jwk } = await next.open(resealed.records.find(({ kid }) => kid === doomed.kid)!);
    await storage.changeKeys(resealed, { put: [await next.seal(revoked!, jwk)], remove: [] });
    await assert.rejects(server.signer(), { code: "overloaded" });
    assert.ok(!new TextDecoder().decode(server.published()?.body).includes(second.kid));
  });
});
