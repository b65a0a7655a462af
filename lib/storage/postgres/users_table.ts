/** The table `users`, and the tombstones of those deleted. */

import type { NewUser, RowId, UserQuery, UserRecord } from "../storage.ts";
import { secondsIn, timeAt, toMilliseconds, toSeconds } from "./columns.ts";
import { sqlState } from "./faults.ts";
import type { Statements } from "./transaction.ts";
import { folded } from "./schema.ts";
import { must, Superseded } from "../superseded.ts";

/** What somebody else has already (SQLSTATE). */
const UNIQUE_VIOLATION = "23505";

/** A user's row as it is read. */
export interface UserRow {
  id: RowId;
  username: string;
  passwordHash: string;
  email: string | null;
  dateRegistered: number | null;
  lastLogin: number | null;
}

/** The columns of a user, as they are named in its row. */
export const USER_COLUMNS = "users.id, username, email, " +
  'password_hash AS "passwordHash", ' +
  `${secondsIn("date_registered")} AS "dateRegistered", ` +
  `${secondsIn("last_login")} AS "lastLogin"`;

/** The condition on a name, in any ASCII case, by its index. */
export function isNamed(place: string): string {
  return `${folded("username")} = ${folded(`${place}::text`)}`;
}

/** The user of a row, which may have more columns. */
export function toUser(row: UserRow): UserRecord {
  const { id, username, passwordHash, email, dateRegistered, lastLogin } = row;
  return {
    id,
    username,
    passwordHash,
    email,
    dateRegistered: toMilliseconds(dateRegistered),
    lastLogin: toMilliseconds(lastLogin),
  };
}

/**
 * In a transaction. The name of a user who is deleted at this moment is free only once the tombstone
 * is there: it is looked for after that.
 *
 * @throws {Superseded} when the name or the address is taken, or the name was deleted.
 */
export async function createUser(tx: Statements, user: NewUser): Promise<UserRecord> {
  const { rows: [row] } = await tx.query<UserRow>(
    "INSERT INTO users (username, password_hash, email, date_registered) " +
      `VALUES ($1, $2, $3, ${timeAt("$4")}) ON CONFLICT DO NOTHING RETURNING ${USER_COLUMNS}`,
    [user.username, user.passwordHash, user.email, toSeconds(user.at)],
  );
  must(row !== undefined);
  must(user.nameHash === undefined || !await hasTombstone(tx, user.nameHash));
  return toUser(row);
}

export async function findUser(
  statements: Statements,
  username: string,
): Promise<UserRecord | undefined> {
  return await findOne(statements, isNamed("$1"), username);
}

export async function findUserByEmail(
  statements: Statements,
  email: string,
): Promise<UserRecord | undefined> {
  return await findOne(statements, `${folded("email")} = ${folded("$1::text")}`, email);
}

async function findOne(
  statements: Statements,
  condition: string,
  value: string,
): Promise<UserRecord | undefined> {
  const sql = `SELECT ${USER_COLUMNS} FROM users WHERE ${condition}`;
  const { rows: [row] } = await statements.query<UserRow>(sql, [value]);
  return row && toUser(row);
}

export async function listUsers(
  statements: Statements,
  { afterId, limit }: UserQuery,
): Promise<UserRecord[]> {
  const after = afterId === undefined ? [] : [afterId];
  const condition = afterId === undefined ? "" : "WHERE id > $2";
  const { rows } = await statements.query<UserRow>(
    `SELECT ${USER_COLUMNS} FROM users ${condition} ORDER BY id LIMIT $1`,
    [limit, ...after],
  );
  return rows.map(toUser);
}

/** Those of users at even distances, by the index of ids: few rows of however many are read. */
export async function samplePasswordHashes(
  statements: Statements,
  count: number,
): Promise<string[]> {
  const { rows } = await statements.query<{ passwordHash: string }>(
    'SELECT DISTINCT found.id, found.password_hash AS "passwordHash" ' +
      "FROM (SELECT min(id) AS least, max(id) AS most FROM users) AS bounds, " +
      "generate_series(0, $1::int - 1) AS n, " +
      "LATERAL (SELECT id, password_hash FROM users " +
      // The last place is that of the last user.
      "WHERE id >= least + (most - least) * n / greatest($1::int - 1, 1) ORDER BY id LIMIT 1) " +
      "AS found ORDER BY found.id",
    [count],
  );
  return rows.map(({ passwordHash }) => passwordHash);
}

/** Says whether it did: not when the hash is another one by now. */
export async function replacePasswordHash(
  statements: Statements,
  userId: RowId,
  from: string,
  to: string,
): Promise<boolean> {
  const { count } = await statements.query(
    "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
    [userId, from, to],
  );
  return count === 1;
}

/**
 * Deletes a user and, by their references, what it has as a client; what it did stays on record
 * without it. False when there is no such user.
 */
export async function deleteUser(
  statements: Statements,
  id: RowId,
  nameHash: Uint8Array,
): Promise<boolean> {
  const { rows } = await statements.query(
    "WITH gone AS (DELETE FROM users WHERE id = $1 RETURNING id), kept AS " +
      "(INSERT INTO tombstones (name_hash) SELECT $2::bytea FROM gone ON CONFLICT DO NOTHING) " +
      "SELECT id FROM gone",
    [id, nameHash],
  );
  return rows.length === 1;
}

/** In a transaction: sets the address. @throws {Superseded} when it is another user's. */
export async function writeEmail(tx: Statements, userId: RowId, email: string): Promise<void> {
  const sql = "UPDATE users SET email = $2 WHERE id = $1";
  try {
    const { count } = await tx.query(sql, [userId, email]);
    must(count === 1);
  } catch (error) {
    throw sqlState(error) === UNIQUE_VIOLATION ? new Superseded() : error;
  }
}

export async function readTombstones(statements: Statements): Promise<Uint8Array[]> {
  const sql = "SELECT name_hash AS hash FROM tombstones";
  const { rows } = await statements.query<{ hash: Uint8Array }>(sql);
  return rows.map(({ hash }) => hash);
}

async function hasTombstone(tx: Statements, nameHash: Uint8Array): Promise<boolean> {
  const { rows } = await tx.query("SELECT FROM tombstones WHERE name_hash = $1", [nameHash]);
  return rows.length > 0;
}
