/** For how long the purge of the authentication log holds up everything else. */

import { DatabaseSync } from "node:sqlite";
import { openStorage, withTempDir } from "../support.ts";
import type { Storage, UserRecord } from "../../lib/storage/storage.ts";
import type { Row } from "./row.ts";
import { duration, inTurns, median, quantile } from "./statistics.ts";

const ROUNDS = 400;

/** Rows that the server deletes in one transaction. */
const BATCH = 100;

/** Rows in the log at first; the older half of them is old enough to be purged. */
const ROWS = 200_000;

/** In milliseconds. */
const NOW = Date.UTC(2030, 0, 1);

/**
 * Milliseconds for which one batch of the purge holds the event loop, against the commit of one
 * login's record, in a database in a file.
 */
export async function measurePurge(): Promise<Row[]> {
  const rows: Row[] = [];
  await withTempDir(async (directory) => {
    const storage = openStorage(`${directory}/keys.db`);
    const user = await storage.createUser({
      username: "user",
      email: "user@example.com",
      passwordHash: "none",
      at: NOW,
    });
    fillLog(`${directory}/keys.db`);
    const [purges, records] = await inTurns(
      ROUNDS,
      () => purge(storage),
      () => record(storage, user!),
    );
    await storage.close();
    const what = "Purge of 100 log rows";
    rows.push({
      what: `${what}, against the commit of one login`,
      unit: "ms",
      measured: median(purges),
      baseline: median(records),
      goal: ["at most", 5],
    }, {
      what: `${what}, 99th percentile`,
      unit: "ms",
      measured: quantile(purges, 0.99),
      goal: ["below", 10],
    }, { what: `${what}, longest`, unit: "ms", measured: Math.max(...purges) });
  });
  return rows;
}

/** One row a second, up to now; those of the user and those of nobody in turns. */
function fillLog(path: string): void {
  const connection = new DatabaseSync(path);
  connection.prepare(
    "WITH RECURSIVE ages (age) AS (SELECT ? UNION ALL SELECT age - 1 FROM ages WHERE age > 1) " +
      "INSERT INTO auth_logs (request_ip, request_timestamp, user_id) " +
      "SELECT '192.0.2.' || (age % 250), datetime(? - age, 'unixepoch'), nullif(age % 2, 0) " +
      "FROM ages",
  ).run(ROWS, NOW / 1000);
  connection.close();
}

async function purge(storage: Storage): Promise<number> {
  const before = NOW - ROWS / 2 * 1000;
  return await duration(async () => {
    const rows = await storage.purgeAuthentications(before, BATCH);
    if (rows !== BATCH) throw new Error(`${rows} rows were purged`);
  });
}

/** A record by itself: it comes a turn of the event loop later, and its commit holds all others up. */
async function record(storage: Storage, user: UserRecord): Promise<number> {
  return await duration(async () => {
    const isRecorded = await storage.recordAuthentication({ ip: "192.0.2.1", at: NOW, user });
    if (!isRecorded) throw new Error("Nothing was recorded");
  });
}
