import assert from "node:assert/strict";
import { storageUnavailable } from "../../lib/base/errors.ts";
import type { KeyRing } from "../../lib/keys/key_ring.ts";
import { Maintenance } from "../../lib/server/maintenance.ts";
import { SqliteStorage } from "../../lib/storage/sqlite/sqlite_storage.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { FakeClock, openDatabase, recordingLog, wrapStorage } from "../support.ts";

const RETENTION = 90 * 86_400;

/** Maintenance over a ring that does what the test says, and a database in memory. */
function makeMaintenance(
  maintain: () => Promise<void> = () => Promise.resolve(),
  others: (own: Storage) => Partial<Storage> = () => ({}),
) {
  const database = openDatabase();
  const storage = wrapStorage(new SqliteStorage(database), others);
  const time = new FakeClock();
  const { log, lines } = recordingLog();
  const maintenance = new Maintenance({
    ring: { maintain } as KeyRing, // the one method that maintenance uses
    storage,
    authLogRetention: RETENTION,
    clock: time.clock,
    log,
  });
  const record = async (age: number, count = 1) => {
    const row = { ip: "192.0.2.1", at: time.now - age * 1000, user: null };
    for (let index = 0; index < count; index++) await storage.recordAuthentication(row);
  };
  const rows = () => database.all("SELECT id FROM auth_logs").length;
  const messages = (level: string) =>
    lines.map((line) => JSON.parse(line)).filter((line) => line.level === level)
      .map((line) => line.message);
  return { maintenance, time, record, rows, messages };
}

Deno.test("Maintenance.run() keeps the keys on schedule in every round", async () => {
  let rounds = 0;
  const { maintenance } = makeMaintenance(() => Promise.resolve(void rounds++));
  await maintenance.run();
  await maintenance.run();
  assert.equal(rounds, 2);
});

Deno.test("Maintenance.run() purges log rows older than the retention, and no others", async () => {
  const { maintenance, record, rows, messages } = makeMaintenance();
  await record(RETENTION + 1, 3);
  await record(RETENTION, 2);
  await record(0, 1);
  await maintenance.run();
  assert.equal(rows(), 3);
  assert.equal(maintenance.purgedRows, 3);
  assert.equal(messages("info").length, 1);
});

Deno.test("Maintenance.run() purges in batches, round after round until all is purged", async () => {
  const { maintenance, record, rows } = makeMaintenance();
  await record(RETENTION + 1, 4500);
  const left = [];
  for (let round = 0; round < 3; round++) {
    await maintenance.run();
    left.push(rows());
  }
  assert.deepEqual(left, [2500, 500, 0]);
});

Deno.test("Maintenance.run() lets others go on after each small batch, and ends after some", async () => {
  const batches: { limit: number; deleted: number; turns: number }[] = [];
  let turns = 0;
  const ticking = setInterval(() => turns++, 0);
  const { maintenance, record } = makeMaintenance(undefined, (own) => ({
    async purgeAuthentications(before, limit) {
      const deleted = await own.purgeAuthentications(before, limit);
      batches.push({ limit, deleted, turns });
      turns = 0;
      return deleted;
    },
  }));
  await record(RETENTION + 1, 2500);
  for (const expected of [20, 6]) { // the last batch is the one that finds nothing more
    batches.length = turns = 0;
    await maintenance.run();
    assert.equal(batches.length, expected);
    assert.ok(batches.every(({ limit, deleted }) => limit <= 100 && deleted <= limit));
    assert.ok(batches.slice(1).every(({ turns }) => turns > 0), "others had no turn");
  }
  clearInterval(ticking);
});

Deno.test("Maintenance.run() goes on with the purge in the next round when a batch fails", async () => {
  let left = 2; // batches until the first failure
  const { maintenance, record, rows, messages } = makeMaintenance(undefined, (own) => ({
    purgeAuthentications: (before, limit) =>
      left-- === 0
        ? Promise.reject(storageUnavailable("full"))
        : own.purgeAuthentications(before, limit),
  }));
  await record(RETENTION + 1, 350);
  await maintenance.run();
  assert.equal(rows(), 150);
  assert.equal(messages("error").length, 1);
  await maintenance.run();
  assert.equal(rows(), 0);
});

Deno.test("Maintenance.run() looks again an hour after everything old is purged", async () => {
  const { maintenance, time, record, rows } = makeMaintenance();
  await maintenance.run();
  await record(RETENTION + 1);
  time.advance(3599);
  await maintenance.run();
  assert.equal(rows(), 1);
  time.advance(1);
  await maintenance.run();
  assert.equal(rows(), 0);
});

Deno.test("Maintenance.run() logs a failure when it begins and when it is over, and goes on", async () => {
  let error: Error | undefined = new Error("no room");
  const { maintenance, record, rows, messages } = makeMaintenance(() =>
    error ? Promise.reject(error) : Promise.resolve()
  );
  await record(RETENTION + 1);
  for (let round = 0; round < 3; round++) await maintenance.run();
  assert.deepEqual(messages("error"), ["key rotation fails and is tried again"]);
  assert.equal(rows(), 0);
  error = undefined;
  for (let round = 0; round < 3; round++) await maintenance.run();
  assert.equal(messages("info").filter((text) => text === "key rotation works again").length, 1);
  error = new Error("again no room");
  await maintenance.run();
  assert.equal(messages("error").length, 2);
});

Deno.test("Maintenance.start() begins a round at once", async () => {
  let rounds = 0;
  const { maintenance } = makeMaintenance(() => Promise.resolve(void rounds++));
  maintenance.start();
  assert.equal(rounds, 1);
  await maintenance.stop();
});

Deno.test("Maintenance.stop() waits for the round that is under way", async () => {
  const held = Promise.withResolvers<void>();
  const { maintenance } = makeMaintenance(() => held.promise);
  maintenance.start();
  let isStopped = false;
  const stopped = maintenance.stop().then(() => isStopped = true);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assert.equal(isStopped, false);
  held.resolve();
  await stopped;
});
