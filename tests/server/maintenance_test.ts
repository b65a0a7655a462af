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
  const elapsed = { now: 0 };
  const { log, lines } = recordingLog();
  const maintenance = new Maintenance({
    ring: { maintain } as KeyRing, // the one method that maintenance uses
    storage,
    authLogRetention: RETENTION,
    clock: time.clock,
    now: () => elapsed.now,
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
  return { maintenance, time, elapsed, record, rows, messages };
}

/** Maintenance in which a batch of the purge takes `cost(rows)` milliseconds, and its batches. */
function makePurge(cost: (rows: number) => number, others: Partial<Storage> = {}) {
  const batches: number[] = [];
  const made = makeMaintenance(undefined, (own) => ({
    ...others,
    async purgeAuthentications(before, limit) {
      made.elapsed.now += cost(limit);
      batches.push(limit);
      return await own.purgeAuthentications(before, limit);
    },
  }));
  return { ...made, batches };
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

Deno.test("Maintenance.run() purges for less than a second, round after round until all is purged", async () => {
  const { maintenance, record, rows, elapsed, batches } = makePurge(() => 300);
  await record(RETENTION + 1, 130);
  const left = [];
  for (let round = 0; round < 3; round++) {
    const start = elapsed.now;
    await maintenance.run();
    assert.ok(elapsed.now - start <= 900);
    left.push(rows());
  }
  assert.deepEqual(left, [130 - 3 * 16, 130 - 6 * 16, 0]);
  assert.equal(batches.length, 9);
});

for (const [disk, perCommit, perRow] of [["quick", 0.1, 0.01], ["slow", 1, 0.2]] as const) {
  Deno.test(`Maintenance.run() holds others up for less than 5 ms a batch on a ${disk} disk, and makes the most of that`, async () => {
    const cost = (rows: number) => perCommit + perRow * rows;
    const { maintenance, record, rows, batches, elapsed } = makePurge(cost);
    await record(RETENTION + 1, 3000);
    for (let round = 0; rows() > 0 && round < 20; round++) await maintenance.run();
    assert.equal(rows(), 0);
    assert.ok(batches.every((limit) => cost(limit) < 5), String(batches));
    assert.ok(batches.slice(20).every((limit) => cost(limit) >= 1), String(batches));
    assert.ok(
      3000 / (elapsed.now / 1000) > 2 * 1000,
      "slower than a thousand a second, with pauses",
    );
  });
}

/** A storage on a server. */
const REMOTE = { connections: { size: 1, idle: 1, waiting: 0 } };

Deno.test("Maintenance.run() purges more at a time on a server of its own, but for 50 ms at most", async () => {
  const cost = (rows: number) => 2 + 0.02 * rows;
  const { maintenance, record, rows, batches, elapsed } = makePurge(cost, REMOTE);
  await record(RETENTION + 1, 9000);
  for (let round = 0; rows() > 0 && round < 20; round++) await maintenance.run();
  assert.equal(rows(), 0);
  assert.equal(batches[0], 1000);
  assert.ok(batches.every((limit) => cost(limit) <= 50), String(batches));
  assert.ok(9000 / (elapsed.now / 1000) > 15_000, `${elapsed.now} ms`);
});

Deno.test("Maintenance.run() takes smaller batches after one that took too long for the server", async () => {
  const limits: number[] = [];
  const made = makeMaintenance(undefined, (own) => ({
    ...REMOTE,
    purgeAuthentications(before, limit) {
      limits.push(limit);
      if (limit <= 1000) return own.purgeAuthentications(before, limit);
      made.elapsed.now += 1600;
      return Promise.reject(storageUnavailable("locked"));
    },
  }));
  await made.record(RETENTION + 1, 1500);
  await made.maintenance.run();
  await made.maintenance.run();
  assert.deepEqual(limits, [1000, 1250, 1000]);
  assert.equal(made.rows(), 0);
});

Deno.test("Maintenance tells for how long nothing has been learned of the keys", async () => {
  let isDown = false;
  const { maintenance, elapsed } = makeMaintenance(() =>
    isDown ? Promise.reject(storageUnavailable("unreachable")) : Promise.resolve()
  );
  assert.equal(maintenance.keysAge, undefined);
  await maintenance.run();
  elapsed.now += 500;
  assert.equal(maintenance.keysAge, 0.5);
  isDown = true;
  await maintenance.run();
  elapsed.now += 2000;
  assert.equal(maintenance.keysAge, 2.5);
  isDown = false;
  await maintenance.run();
  assert.equal(maintenance.keysAge, 0);
});

Deno.test("Maintenance.run() takes smaller batches at once when a disk gets slow, but none that are all commit", async () => {
  let perRow = 0.01;
  const { maintenance, record, batches, time } = makePurge((rows) => rows * perRow);
  await record(RETENTION + 1, 2000);
  await maintenance.run();
  assert.ok(batches.at(-1)! > 100, String(batches));
  perRow = 1;
  batches.length = 0;
  time.advance(3600);
  await record(RETENTION + 1, 2000);
  await maintenance.run();
  const halves = batches.slice(1).map((_, index) => Math.max(16, Math.ceil(batches[index]! / 2)));
  assert.deepEqual(batches.slice(1), halves);
  assert.equal(batches.at(-1), 16);
});

Deno.test("Maintenance.run() lets others go on after each batch", async () => {
  const turns: number[] = [];
  let turn = 0;
  const ticking = setInterval(() => turn++, 0);
  const { maintenance, record } = makeMaintenance(undefined, (own) => ({
    purgeAuthentications(before, limit) {
      turns.push(turn);
      return own.purgeAuthentications(before, limit);
    },
  }));
  await record(RETENTION + 1, 500);
  await maintenance.run();
  clearInterval(ticking);
  assert.ok(turns.length > 5);
  assert.equal(new Set(turns).size, turns.length, "others had no turn");
});

Deno.test("Maintenance.stop() ends a purge after the batch that is under way", async () => {
  const { maintenance, record, rows } = makePurge(() => 0.1);
  await record(RETENTION + 1, 2000);
  maintenance.start();
  await maintenance.stop();
  assert.ok(rows() >= 2000 - 16, `${rows()}`);
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
  assert.equal(rows(), 350 - 16 - 20);
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
