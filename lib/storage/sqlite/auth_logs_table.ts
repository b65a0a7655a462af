/** The table `auth_logs`. */

import { timestamp } from "../../base/clock.ts";
import type {
  AuthenticationCount,
  AuthenticationEntry,
  AuthenticationQuery,
  AuthenticationRecord,
} from "../storage.ts";
import { isUsable, setLastUsed } from "./clients_tables.ts";
import { exact, text } from "./columns.ts";
import type { SqliteDatabase } from "./database.ts";
import { setLastLogin } from "./users_table.ts";

const SELECT_ENTRIES = `SELECT ${exact("auth_logs.id")} AS id, ${text("request_ip")} AS ip, ` +
  `${text("request_timestamp")} AS timestamp, ${text("username")} AS username ` +
  "FROM auth_logs LEFT JOIN users ON users.id = user_id";

/** In a transaction: false, with nothing written, when the user is not as it was checked. */
export function recordAuthentication(
  database: SqliteDatabase,
  { ip, at, user, credential }: AuthenticationRecord,
): boolean {
  if (user !== null) {
    if (credential && !isUsable(database, user.id, credential, at)) return false;
    if (!setLastLogin(database, user, at)) return false;
    if (credential) setLastUsed(database, credential.id, at);
  }
  database.run(
    "INSERT INTO auth_logs (request_ip, request_timestamp, user_id) VALUES (?, ?, ?)",
    ip,
    timestamp(at),
    user?.id ?? null,
  );
  return true;
}

export function readAuthentications(
  database: SqliteDatabase,
  { afterId, since, username, limit }: AuthenticationQuery,
): AuthenticationEntry[] {
  return database.all<AuthenticationEntry>(
    `${SELECT_ENTRIES} WHERE auth_logs.id > ? ` +
      "AND (request_timestamp >= ? OR typeof(request_timestamp) <> 'text') " +
      "AND (? IS NULL OR username = ? COLLATE NOCASE) ORDER BY auth_logs.id LIMIT ?",
    afterId,
    timestamp(since),
    username ?? null,
    username ?? null,
    limit,
  );
}

export function newestAuthentications(
  database: SqliteDatabase,
  limit: number,
): AuthenticationEntry[] {
  return database.all<AuthenticationEntry>(
    `${SELECT_ENTRIES} ORDER BY request_timestamp DESC, auth_logs.id DESC LIMIT ?`,
    limit,
  );
}

/** What every timestamp looks like that this program writes; others may have written, too. */
const FORM = "0000-00-00 00:00:00".replaceAll("0", "[0-9]");
const IS_TIMESTAMP = `(request_timestamp GLOB '${FORM}' IS TRUE)`;

export function countAuthentications(
  database: SqliteDatabase,
  since: number,
): AuthenticationCount {
  return database.get<AuthenticationCount>(
    "SELECT count(*) FILTER (WHERE user_id IS NOT NULL) AS count, " +
      `max(request_timestamp) FILTER (WHERE user_id IS NOT NULL AND ${IS_TIMESTAMP}) AS newest, ` +
      `${exact(`min(id) FILTER (WHERE NOT ${IS_TIMESTAMP})`)} AS odd ` +
      // Times of another form sort anywhere: before all text, before this program, after the rest.
      "FROM auth_logs WHERE request_timestamp >= ? OR request_timestamp < '1970-01-01' " +
      "OR request_timestamp IS NULL",
    timestamp(since),
  )!;
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
