/** What opening a database costs, the more so the more users it has. */

import { statfs } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { SqliteDatabase } from "../../lib/storage/sqlite/database.ts";
import { examineDatabase } from "../../lib/storage/sqlite/examination.ts";
import { openDatabase, withTempDir } from "../support.ts";
import type { Row, Unmeasured } from "./row.ts";
import { duration, inTurns, median } from "./statistics.ts";

const ROUNDS = 25;
const [MANY, FEW] = [1_000_000, 1000];

/** About as many as there may be for their table to be examined at every start. */
const EXAMINED = 60_000;

const GIB = 2 ** 30;

/** What a hash of a password looks like that was made at the default cost. */
const HASH = `$argon2id$v=19$m=65536,t=3,p=4$${"A".repeat(22)}$${"A".repeat(43)}`;

/**
 * Milliseconds for examining, opening and closing a database, with a million users against a
 * thousand; and with those whose table is the largest that is examined.
 */
export async function measureOpening(): Promise<(Row | Unmeasured)[]> {
  const what = "Opening a database with 1,000,000 users, against 1,000";
  const rows: (Row | Unmeasured)[] = [];
  await withTempDir(async (directory) => {
    const { bavail, bsize } = await statfs(directory);
    const free = bavail * bsize;
    if (free < 2 * GIB) {
      const reason = `skipped: ${(free / GIB).toFixed(1)} GiB are free, it takes 2`;
      rows.push({ what, reason, isFailure: false });
      return;
    }
    const few = makeDatabase(directory, FEW);
    const [ours, theirs] = await compare(makeDatabase(directory, MANY), few);
    rows.push({
      what,
      unit: "ms",
      measured: median(ours),
      baseline: median(theirs),
      goal: ["at most", 1.5],
    });
    const [examined, baseline] = await compare(makeDatabase(directory, EXAMINED), few);
    rows.push({
      what: `Opening a database with ${EXAMINED.toLocaleString("en")} users, against 1,000`,
      unit: "ms",
      measured: median(examined),
      baseline: median(baseline),
    });
  });
  return rows;
}

/** A database of this program with so many users; gives its path. */
function makeDatabase(directory: string, users: number): string {
  const path = `${directory}/${users}.db`;
  openDatabase(path).close();
  const connection = new DatabaseSync(path);
  connection.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
  connection.prepare(
    "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?) " +
      "INSERT INTO users (username, email, password_hash) " +
      "SELECT 'user-' || n, 'user-' || n || '@example.com', ? FROM numbers",
  ).run(users, HASH);
  connection.exec("PRAGMA journal_mode = WAL");
  connection.close();
  return path;
}

function compare(one: string, other: string): Promise<[number[], number[]]> {
  const opening = (path: string) =>
    duration(() => SqliteDatabase.open(examineDatabase(path)).close());
  return inTurns(ROUNDS, () => opening(one), () => opening(other));
}
