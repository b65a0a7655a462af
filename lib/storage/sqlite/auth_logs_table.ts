/** The table `auth_logs`. */

import { timestamp } from "../../base/clock.ts";
import type {
  AuthenticationCount,
  AuthenticationEntry,
  AuthenticationQuery,
  AuthenticationRecord,
  AuthenticationStart,
  RowId,
} from "../storage.ts";
import { isUsable, setLastUsed } from "./clients_tables.ts";
import { asPage, exact, pageOf, text, timeIn } from "./columns.ts";
import type { SqliteDatabase } from "./database.ts";
import { readRevision } from "./meta.ts";
import { setLastLogin } from "./users_table.ts";

const SELECT_ENTRIES = `SELECT ${exact("auth_logs.id")} AS id, ${text("request_ip")} AS ip, ` +
  `${text("request_timestamp")} AS timestamp, ${text("username")} AS username ` +
  "FROM auth_logs LEFT JOIN users ON users.id = user_id";

const NAMES = ["id", "ip", "timestamp", "username"];

/** An entry as it is read. */
interface Row extends Omit<AuthenticationEntry, "at" | "oddTime"> {
  timestamp: string | null;
}

function toEntry({ timestamp, ...entry }: Row): AuthenticationEntry {
  const at = timeIn(timestamp);
  return { ...entry, at, oddTime: at === null ? String(timestamp) : null };
}

/**
 * In a transaction: `undefined`, with nothing written, when the user is not as it was checked; else
 * the revision of the keys.
 */
export function recordAuthentication(
  database: SqliteDatabase,
  { ip, at, user, credential }: AuthenticationRecord,
): number | undefined {
  if (user !== null) {
    if (credential && !isUsable(database, user.id, credential, at)) return undefined;
    if (!setLastLogin(database, user, at)) return undefined;
    if (credential) setLastUsed(database, credential.id, at);
  }
  database.run(
    "INSERT INTO auth_logs (request_ip, request_timestamp, user_id) VALUES (?, ?, ?)",
    ip,
    timestamp(at),
    user?.id ?? null,
  );
  return readRevision(database);
}

/** Times since one, and those that are no text: nobody can tell when they were. */
const IS_SINCE = "(request_timestamp >= ? OR typeof(request_timestamp) <> 'text')";

/** What leaves one user's entries, by their index. */
const IS_OF_USER = "user_id = (SELECT id FROM users WHERE username = ? COLLATE NOCASE)";

/** Before all ids. */
const FIRST = { before: 0 };

/**
 * In a transaction: with `last`, it goes back from the end; else, on the index of times, over as
 * many rows as are going to be read. Ids and times have not always the same order: clocks are set.
 * The entries of one user are few, and are found without.
 */
export function seekAuthentications(
  database: SqliteDatabase,
  { since, username, last }: AuthenticationStart,
): RowId {
  const start = since <= 0 || username !== undefined
    ? FIRST
    : database.get<{ before: RowId | null }>(
      // Numbers sort before all text. One condition for each way that the index is searched; for the
      // least id alone, SQLite would go through the table up to the first row that meets them.
      `SELECT ${exact("min(id - 1)")} AS before FROM auth_logs ` +
        "WHERE request_timestamp >= ? OR request_timestamp < '' OR request_timestamp IS NULL",
      timestamp(since),
    )!;
  if (start.before === null) return lastId(database);
  if (last === undefined) return start.before;
  const found = database.get<{ before: RowId }>(
    `SELECT ${exact("id - 1")} AS before FROM auth_logs WHERE id > ? AND ${IS_SINCE} ` +
      `${username === undefined ? "" : `AND ${IS_OF_USER} `}ORDER BY id DESC LIMIT 1 OFFSET ?`,
    start.before,
    timestamp(since),
    ...username === undefined ? [] : [username],
    last - 1,
  );
  return found?.before ?? start.before;
}

function lastId(database: SqliteDatabase): RowId {
  const sql = `SELECT ${exact("coalesce(max(id), 0)")} AS id FROM auth_logs`;
  return database.get<{ id: RowId }>(sql)!.id;
}

export function readAuthentications(
  database: SqliteDatabase,
  { afterId, since, username, limit }: AuthenticationQuery,
): AuthenticationEntry[] {
  const ofUser = username === undefined ? [] : [username];
  const query = `${SELECT_ENTRIES} WHERE auth_logs.id > ? AND ${IS_SINCE} ` +
    `${username === undefined ? "" : `AND ${IS_OF_USER} `}ORDER BY auth_logs.id LIMIT ?`;
  const page = database.get<{ page: string }>(
    asPage(NAMES, query),
    afterId,
    timestamp(since),
    ...ofUser,
    limit,
  );
  return pageOf<Row>(page).map(toEntry);
}

export function newestAuthentications(
  database: SqliteDatabase,
  limit: number,
): AuthenticationEntry[] {
  return database.all<Row>(
    `${SELECT_ENTRIES} ORDER BY request_timestamp DESC, auth_logs.id DESC LIMIT ?`,
    limit,
  ).map(toEntry);
}

/** What every timestamp looks like that this program writes; others may have written, too. */
const FORM = "0000-00-00 00:00:00".replaceAll("0", "[0-9]");
const IS_TIMESTAMP = `(request_timestamp GLOB '${FORM}' IS TRUE)`;

export function countAuthentications(
  database: SqliteDatabase,
  since: number,
): AuthenticationCount {
  const { newest, ...counted } = database.get<
    Omit<AuthenticationCount, "newest"> & { newest: string | null }
  >(
    "SELECT count(*) FILTER (WHERE user_id IS NOT NULL) AS count, " +
      `max(request_timestamp) FILTER (WHERE user_id IS NOT NULL AND ${IS_TIMESTAMP}) AS newest, ` +
      `${exact(`min(id) FILTER (WHERE NOT ${IS_TIMESTAMP})`)} AS odd ` +
      // Times of another form sort anywhere: before all text, before this program, after the rest.
      "FROM auth_logs WHERE request_timestamp >= ? OR request_timestamp < '1970-01-01' " +
      "OR request_timestamp IS NULL",
    timestamp(since),
  )!;
  const time = timeIn(newest);
  if (newest === null || time !== null) return { ...counted, newest: time };
  return { ...counted, newest: null, odd: counted.odd ?? idAt(database, newest) };
}

/** A row of that timestamp, which has the form of one and is none: the 30th of February. */
function idAt(database: SqliteDatabase, timestamp: string): RowId {
  const sql = `SELECT ${exact("id")} AS id FROM auth_logs WHERE request_timestamp = ? LIMIT 1`;
  return database.get<{ id: RowId }>(sql, timestamp)!.id;
}

export function purgeAuthentications(
  database: SqliteDatabase,
  before: number,
  limit: number,
): number {
  return database.run(
    "DELETE FROM auth_logs WHERE id IN " +
      "(SELECT id FROM auth_logs WHERE request_timestamp < ? LIMIT ?)",
    timestamp(before),
    limit,
  );
}
