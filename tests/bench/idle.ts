/** What a second costs in which nothing is to be done, and the first look at many keys. */

import { KeyRing } from "../../lib/keys/key_ring.ts";
import { generatePrivateJwk } from "../../lib/keys/signing_key.ts";
import type { ScheduledKey } from "../../lib/rotation/policy.ts";
import type { KeyRecord } from "../../lib/storage/storage.ts";
import { FakeClock, makeRing, openStorage, POLICY, ringParts, withTempDir } from "../support.ts";
import type { Row } from "./row.ts";
import { duration, inTurns, median } from "./statistics.ts";

const [MANY, FEW] = [2000, 3];
const LOADS = 5;
const ROUNDS = 101;

/** The seconds of one round. */
const SECONDS = 20;

const HOUR = 3600;
const OPTIONS = { policy: { alg: "ES256" } } as const;

type Ring = Awaited<ReturnType<typeof openRing>>;

/**
 * Microseconds for `KeyRing.maintain` in a second in which nothing is due, and milliseconds for
 * opening the ring; with thousands of rows in `keys` against the three of a new server.
 */
export async function measureIdle(): Promise<Row[]> {
  const rows: Row[] = [];
  await withTempDir(async (directory) => {
    const [many, few] = [`${directory}/many.db`, `${directory}/few.db`];
    await (await openRing(few)).storage.close();
    await makeDatabase(many);
    const [manyLoads, fewLoads] = await inTurns(LOADS, () => load(many), () => load(few));
    const rings = [await openRing(many), await openRing(few)] as const;
    const [ours, theirs] = await inTurns(
      ROUNDS,
      () => idle(rings[0], MANY),
      () => idle(rings[1], FEW),
    );
    for (const { storage } of rings) await storage.close();
    const against = "2,000 rows in keys against 3";
    rows.push({
      what: `Idle second of the key ring, ${against}`,
      unit: "µs",
      measured: median(ours),
      baseline: median(theirs),
      goal: ["at most", 2],
    }, {
      what: `First load of the key ring, ${against}`,
      unit: "ms",
      measured: median(manyLoads),
      baseline: median(fewLoads),
    });
  });
  return rows;
}

/** The ring of a server that has run for a moment, with a clock of its own. */
async function openRing(path: string) {
  return await makeRing({ ...OPTIONS, time: new FakeClock(), storage: openStorage(path) });
}

/** A new server's keys, and in front of them so many older ones that there are `MANY`. */
async function makeDatabase(path: string): Promise<void> {
  const { storage, encryption, ring, time } = await openRing(path);
  const count = MANY - ring.keys.length;
  const put: KeyRecord[] = [];
  for (let place = 0; place < count; place++) {
    const schedule = olderSchedule(place, count, time);
    const jwk = { ...await generatePrivateJwk("ES256"), kid: String(schedule.id) };
    put.push(await encryption.seal(schedule, jwk));
  }
  const isDone = await storage.changeKeys(await storage.readKeys(), { put, remove: [] });
  await storage.close();
  if (!isDone) throw new Error("The keys changed meanwhile");
}

/**
 * A key that has signed: the first half are expired and retained, the others still verify. The next
 * hour is no moment of any.
 */
function olderSchedule(place: number, count: number, { seconds }: FakeClock): ScheduledKey {
  const share = place / count * 2 - 1;
  const age = share * (POLICY.retention - 2 * HOUR) + Math.sign(share) * HOUR;
  const exp = Math.floor(seconds + age);
  const signUntil = Math.min(exp, seconds) - HOUR;
  const signFrom = signUntil - POLICY.rotation;
  return { id: signFrom * 1000 + place, signFrom, signUntil, exp };
}

/** Milliseconds until every stored key is opened. */
async function load(path: string): Promise<number> {
  const parts = await ringParts({
    ...OPTIONS,
    time: new FakeClock(),
    storage: openStorage(path),
  });
  const elapsed = await duration(() => KeyRing.open(parts));
  await parts.storage.close();
  return elapsed;
}

/** Microseconds for a second in which nothing is due. */
async function idle({ ring, time }: Ring, rows: number): Promise<number> {
  const { keys } = ring;
  const elapsed = await duration(async () => {
    for (let second = 0; second < SECONDS; second++) {
      time.advance(1);
      await ring.maintain();
    }
  });
  if (ring.keys !== keys || keys.length !== rows) throw new Error("Something was due");
  return elapsed * 1000 / SECONDS;
}
