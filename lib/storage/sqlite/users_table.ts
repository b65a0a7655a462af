/** The table `users`, and the tombstones of those deleted. */

import { USE_INTERVAL } from "../use_interval.ts";
import { timestamp } from "../../base/clock.ts";
import type { NewUser, RowId, UserQuery, UserRecord } from "../storage.ts";
import { asPage, exact, pageOf, text, timeIn } from "./columns.ts";
import type { SqliteDatabase } from "./database.ts";

/** The expression for each member of a user's record. */
const COLUMNS: Record<keyof UserRecord, string> = {
  id: exact("id"),
  username: text("username"),
  passwordHash: text("password_hash"),
  email: text("email"),
  dateRegistered: text("date_registered"),
  lastLogin: text("last_login"),
};

const NAMES = Object.keys(COLUMNS);

/** A user's row as it is read: its times are text. */
export interface UserRow extends Omit<UserRecord, "dateRegistered" | "lastLogin"> {
  dateRegistered: string | null;
  lastLogin: string | null;
}

export function toUser(row: UserRow): UserRecord {
  return {
    ...row,
    dateRegistered: timeIn(row.dateRegistered),
    lastLogin: timeIn(row.lastLogin),
  };
}

function toUserIf(row: UserRow | undefined): UserRecord | undefined {
  return row && toUser(row);
}

/** The columns of a user, as they are named in its record. */
export const USER_COLUMNS = Object.entries(COLUMNS)
  .map(([name, expression]) => `${expression} AS ${name}`).join(", ");

const IS_AS_CHECKED = `id = ? AND ${text("password_hash")} = ?`;

/** In a transaction: `undefined` when the name or the address is taken, or the name was deleted. */
export function createUser(database: SqliteDatabase, user: NewUser): UserRecord | undefined {
  if (user.nameHash !== undefined && hasTombstone(database, user.nameHash)) return undefined;
  return toUserIf(database.get<UserRow>(
    "INSERT INTO users (username, password_hash, email, date_registered) VALUES (?, ?, ?, ?) " +
      `ON CONFLICT DO NOTHING RETURNING ${USER_COLUMNS}`,
    user.username,
    user.passwordHash,
    user.email,
    timestamp(user.at),
  ));
}

export function findUser(database: SqliteDatabase, username: string): UserRecord | undefined {
  return toUserIf(database.get<UserRow>(
    `SELECT ${USER_COLUMNS} FROM users WHERE username = ? COLLATE NOCASE`,
    username,
  ));
}

export function findUserByEmail(database: SqliteDatabase, email: string): UserRecord | undefined {
  const sql = `SELECT ${USER_COLUMNS} FROM users WHERE email = ? COLLATE NOCASE`;
  return toUserIf(database.get<UserRow>(sql, email));
}

export function listUsers(database: SqliteDatabase, { afterId, limit }: UserQuery): UserRecord[] {
  const after = afterId === undefined ? [] : [afterId];
  const condition = afterId === undefined ? "" : "WHERE users.id > ?";
  const query = `SELECT ${USER_COLUMNS} FROM users ${condition} ORDER BY users.id LIMIT ?`;
  return pageOf<UserRow>(database.get(asPage(NAMES, query), ...after, limit)).map(toUser);
}

/** Those of users at even distances, by the table's own order: few rows of however many are read. */
export function samplePasswordHashes(database: SqliteDatabase, count: number): string[] {
  const rows = database.all<{ passwordHash: string }>(
    "WITH RECURSIVE bounds (least, most) AS (SELECT (SELECT min(id) FROM users), " +
      "(SELECT max(id) FROM users)), places (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM places " +
      "WHERE n + 1 < ?) SELECT DISTINCT users.id, " +
      `${text("password_hash")} AS passwordHash FROM places, bounds ` +
      "JOIN users ON users.id = (SELECT id FROM users " +
      "WHERE id >= least + CAST((most - least) * 1.0 * n / ? AS INTEGER) ORDER BY id LIMIT 1)",
    count,
    Math.max(1, count - 1), // the last place is that of the last user
  );
  return rows.map(({ passwordHash }) => passwordHash);
}

/** Says whether it did: not when the hash is another one by now. */
export function replacePasswordHash(
  database: SqliteDatabase,
  userId: RowId,
  from: string,
  to: string,
): boolean {
  const sql = `UPDATE users SET password_hash = ? WHERE ${IS_AS_CHECKED}`;
  return database.run(sql, to, userId, from) === 1;
}

/**
 * In a transaction: deletes a user and, by their references, what it has as a client; what it did
 * stays on record without it. False when there is no such user.
 */
export function deleteUser(database: SqliteDatabase, id: RowId, nameHash: Uint8Array): boolean {
  if (database.get("SELECT 1 FROM users WHERE id = ?", id) === undefined) return false;
  database.run("UPDATE auth_logs SET user_id = NULL WHERE user_id = ?", id);
  database.run("DELETE FROM users WHERE id = ?", id);
  database.run("INSERT INTO tombstones (name_hash) VALUES (?) ON CONFLICT DO NOTHING", nameHash);
  return true;
}

/** In a transaction: sets the address; false when it is another user's. */
export function writeEmail(database: SqliteDatabase, userId: RowId, email: string): boolean {
  return database.run("UPDATE OR IGNORE users SET email = ? WHERE id = ?", email, userId) === 1;
}

export function readTombstones(database: SqliteDatabase): Uint8Array[] {
  const rows = database.all<{ hash: Uint8Array }>("SELECT name_hash AS hash FROM tombstones");
  return rows.map(({ hash }) => hash);
}

function hasTombstone(database: SqliteDatabase, nameHash: Uint8Array): boolean {
  return database.get("SELECT 1 FROM tombstones WHERE name_hash = ?", nameHash) !== undefined;
}

/**
 * Sets the time of the last login, in milliseconds, unless that was written within the last minute;
 * false when the hash is another one by now.
 */
export function setLastLogin(
  database: SqliteDatabase,
  { id, passwordHash }: Pick<UserRecord, "id" | "passwordHash">,
  at: number,
): boolean {
  const found = database.get<{ lastLogin: string | null }>(
    `SELECT ${COLUMNS.lastLogin} AS lastLogin FROM users WHERE ${IS_AS_CHECKED}`,
    id,
    passwordHash,
  );
  if (found === undefined) return false;
  const written = timeIn(found.lastLogin);
  // One that lies ahead is a clock's that was set back since.
  const isRecent = written !== null && written <= at && at - written < USE_INTERVAL;
  if (!isRecent) database.run("UPDATE users SET last_login = ? WHERE id = ?", timestamp(at), id);
  return true;
}
