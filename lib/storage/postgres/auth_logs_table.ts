/** The table `auth_logs`, as it is read and purged. */

import type {
  AuthenticationCount,
  AuthenticationEntry,
  AuthenticationQuery,
  AuthenticationStart,
  RowId,
} from "../storage.ts";
import {
  isNoTimeBefore,
  isTime,
  oddTimeIn,
  secondsIn,
  timeAt,
  toMilliseconds,
  toSeconds,
} from "./columns.ts";
import type { Statements } from "./transaction.ts";
import { isNamed } from "./users_table.ts";
import type { Value } from "./values.ts";

/** An entry as it is read: its time is in seconds. */
type Row = AuthenticationEntry;

const TIME = "request_timestamp";

const SELECT_ENTRIES = `SELECT auth_logs.id, request_ip AS ip, ${secondsIn(TIME)} AS at, ` +
  `${oddTimeIn(TIME)} AS "oddTime", username FROM auth_logs LEFT JOIN users ON users.id = user_id`;

function toEntry({ at, ...entry }: Row): AuthenticationEntry {
  return { ...entry, at: toMilliseconds(at) };
}

/** Times since `$1`, and rows of which nobody can tell when they were. */
const IS_SINCE = `(${TIME} >= ${timeAt("$1")} OR ${isNoTimeBefore(TIME)})`;

/** What leaves one user's entries, by their index. */
function isOfUser(place: string): string {
  return `user_id = (SELECT users.id FROM users WHERE ${isNamed(place)})`;
}

/** Before the last so many entries of those that meet a condition. */
function beforeLast(condition: string): string {
  return `(SELECT id - 1 FROM auth_logs WHERE ${condition} ORDER BY id DESC LIMIT 1 OFFSET $2 - 1)`;
}

/**
 * Before all entries since a time. Ids and times have not always the same order: clocks are set, and
 * differ. These entries are found by the index of times; for the least id alone, the table would be
 * gone through up to the first of them.
 */
const START = `coalesce((SELECT min(id - 1) FROM auth_logs WHERE ${IS_SINCE}), ` +
  "(SELECT max(id) FROM auth_logs), 0)";

/** Whether there are fewer since then than are asked for. */
const ARE_FEW = `(SELECT count(*) FROM (SELECT FROM auth_logs WHERE ${TIME} >= ${timeAt("$1")} ` +
  `ORDER BY ${TIME} LIMIT $2) AS found) < $2`;

/** One statement, which sees the log as it is at one moment. */
export async function seekAuthentications(
  statements: Statements,
  { since, username, last }: AuthenticationStart,
): Promise<RowId> {
  const isOfAll = username === undefined && since > 0;
  const start = toSeconds(since);
  if (last === undefined) return isOfAll ? await before(statements, START, start) : 0;
  if (isOfAll) {
    const place = `CASE WHEN ${ARE_FEW} THEN ${START} ELSE ${beforeLast(IS_SINCE)} END`;
    return await before(statements, place, start, last);
  }
  // One user's entries are few, and are found without a start.
  if (username === undefined) {
    return await before(statements, `coalesce(${beforeLast(IS_SINCE)}, 0)`, start, last);
  }
  const place = `coalesce(${beforeLast(`${IS_SINCE} AND ${isOfUser("$3")}`)}, 0)`;
  return await before(statements, place, start, last, username);
}

async function before(
  statements: Statements,
  place: string,
  ...values: readonly Value[]
): Promise<RowId> {
  const sql = `SELECT ${place} AS before`;
  return (await statements.query<{ before: RowId }>(sql, values)).rows[0]!.before;
}

export async function readAuthentications(
  statements: Statements,
  { afterId, since, username, limit }: AuthenticationQuery,
): Promise<AuthenticationEntry[]> {
  const ofUser = username === undefined ? "" : ` AND ${isOfUser("$4")}`;
  const { rows } = await statements.query<Row>(
    `${SELECT_ENTRIES} WHERE auth_logs.id > $2 AND ${IS_SINCE}${ofUser} ` +
      "ORDER BY auth_logs.id LIMIT $3",
    [toSeconds(since), afterId, limit, ...username === undefined ? [] : [username]],
  );
  return rows.map(toEntry);
}

/** Without a time, a row is not among the latest: an index has those at its end. */
export async function newestAuthentications(
  statements: Statements,
  limit: number,
): Promise<AuthenticationEntry[]> {
  const { rows } = await statements.query<Row>(
    `${SELECT_ENTRIES} WHERE ${TIME} IS NOT NULL ORDER BY ${TIME} DESC, auth_logs.id DESC LIMIT $1`,
    [limit],
  );
  return rows.map(toEntry);
}

export async function countAuthentications(
  statements: Statements,
  since: number,
): Promise<AuthenticationCount> {
  const newest = `max(${TIME}) FILTER (WHERE user_id IS NOT NULL AND ${isTime(TIME)})`;
  const { rows } = await statements.query<AuthenticationCount>(
    "SELECT count(*) FILTER (WHERE user_id IS NOT NULL) AS count, " +
      `${secondsIn(newest)} AS newest, min(id) FILTER (WHERE ${isTime(TIME)} IS NOT TRUE) AS odd ` +
      `FROM auth_logs WHERE ${IS_SINCE}`,
    [toSeconds(since)],
  );
  const { newest: seconds, ...counted } = rows[0]!;
  return { ...counted, newest: toMilliseconds(seconds) };
}

/** Rows that another server purges at this moment are left to it: nobody waits. */
export async function purgeAuthentications(
  statements: Statements,
  before: number,
  limit: number,
): Promise<number> {
  const { count } = await statements.query(
    "DELETE FROM auth_logs WHERE id = ANY(ARRAY(" +
      `SELECT id FROM auth_logs WHERE ${TIME} < ${timeAt("$1")} ` +
      `ORDER BY ${TIME} LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    [toSeconds(before), limit],
  );
  return count;
}
