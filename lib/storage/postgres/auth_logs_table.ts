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

/**
 * Ids and times have not always the same order: clocks are set, and differ. The start of those since
 * a time is found by the index of times; for the least id alone, the table would be gone through up
 * to the first row of them. The entries of one user are few, and are found without.
 */
const START = `SELECT coalesce((SELECT min(id - 1) FROM auth_logs WHERE ${IS_SINCE}), ` +
  "(SELECT max(id) FROM auth_logs), 0) AS before";
const START_OF_ALL = "SELECT 0::bigint AS before";

/** One statement, which sees the log as it is at one moment. */
export async function seekAuthentications(
  statements: Statements,
  { since, username, last }: AuthenticationStart,
): Promise<RowId> {
  const isFromFirst = since <= 0 || username !== undefined;
  const start = isFromFirst ? START_OF_ALL : START;
  if (last === undefined) {
    return await before(statements, start, isFromFirst ? [] : [toSeconds(since)]);
  }
  const ofUser = username === undefined ? "" : ` AND ${isOfUser("$3")}`;
  const sql = `WITH start AS (${start}) SELECT coalesce((SELECT id - 1 FROM auth_logs ` +
    `WHERE id > (SELECT before FROM start) AND ${IS_SINCE}${ofUser} ` +
    "ORDER BY id DESC LIMIT 1 OFFSET $2), before) AS before FROM start";
  const values = [toSeconds(since), last - 1];
  return await before(statements, sql, username === undefined ? values : [...values, username]);
}

async function before(
  statements: Statements,
  sql: string,
  values: readonly (string | number)[],
): Promise<RowId> {
  const { rows } = await statements.query<{ before: RowId }>(sql, values);
  return rows[0]!.before;
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
