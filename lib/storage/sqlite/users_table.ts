/** The table `users`. */

import { timestamp } from "../../base/clock.ts";
import type { NewUser, UserRecord } from "../storage.ts";
import type { SqliteDatabase } from "./database.ts";

const COLUMNS = "id, username, password_hash AS passwordHash, email, " +
  "date_registered AS dateRegistered, last_login AS lastLogin";

export function createUser(database: SqliteDatabase, user: NewUser): UserRecord | undefined {
  return database.get<UserRecord>(
    "INSERT INTO users (username, password_hash, email, date_registered) VALUES (?, ?, ?, ?) " +
      `ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
    user.username,
    user.passwordHash,
    user.email,
    timestamp(user.at),
  );
}

export function findUser(database: SqliteDatabase, username: string): UserRecord | undefined {
  return database.get<UserRecord>(
    `SELECT ${COLUMNS} FROM users WHERE username = ? COLLATE NOCASE`,
    username,
  );
}

export function listUsers(database: SqliteDatabase): UserRecord[] {
  return database.all<UserRecord>(`SELECT ${COLUMNS} FROM users ORDER BY id`);
}

/** Says whether it did: not when the hash is another one by now. */
export function replacePasswordHash(
  database: SqliteDatabase,
  userId: number,
  from: string,
  to: string,
): boolean {
  const sql = "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?";
  return database.run(sql, to, userId, from) === 1;
}

/** The same for the time of the last login, in milliseconds since the epoch. */
export function setLastLogin(
  database: SqliteDatabase,
  { id, passwordHash }: Pick<UserRecord, "id" | "passwordHash">,
  at: number,
): boolean {
  const sql = "UPDATE users SET last_login = ? WHERE id = ? AND password_hash = ?";
  return database.run(sql, timestamp(at), id, passwordHash) === 1;
}
