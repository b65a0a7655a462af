/** The tables `client_policies` and `client_credentials`. */

import { USE_INTERVAL } from "../use_interval.ts";
import type {
  ClientRecord,
  CredentialRecord,
  NewKeyCredential,
  PasswordReplacement,
  RowId,
} from "../storage.ts";
import { exact, text } from "./columns.ts";
import type { SqliteDatabase } from "./database.ts";
import { replacePasswordHash, toUser, USER_COLUMNS, type UserRow } from "./users_table.ts";

const SELECT_CREDENTIALS = `SELECT ${exact("id")} AS id, type, ${text("kid")} AS kid, ` +
  `${text("value")} AS value, created_at AS createdAt, valid_until AS validUntil, ` +
  "last_used AS lastUsed FROM client_credentials WHERE user_id = ? ORDER BY client_credentials.id";

/** What is found of a client in one statement, which is as good as a transaction. */
const SELECT_CLIENT = `SELECT ${USER_COLUMNS}, ` +
  `(SELECT ${text("policy")} FROM client_policies WHERE user_id = users.id) AS policy, ` +
  "EXISTS (SELECT 1 FROM client_credentials WHERE user_id = users.id) AS hasCredentials " +
  "FROM users WHERE username = ? COLLATE NOCASE";

/** A client as it is at one moment; outside of a transaction. Few have credentials of this kind. */
export function readClient(database: SqliteDatabase, username: string): ClientRecord | undefined {
  const found = findIn(database, username);
  if (!found?.hasCredentials) return found && { ...found.client, credentials: [] };
  return database.snapshot(() => findClient(database, username));
}

/** The same in a transaction. */
export function findClient(database: SqliteDatabase, username: string): ClientRecord | undefined {
  const { client } = findIn(database, username) ?? {};
  return client && {
    ...client,
    credentials: database.all<CredentialRecord>(SELECT_CREDENTIALS, client.user.id),
  };
}

function findIn(database: SqliteDatabase, username: string) {
  const row = database.get<UserRow & { policy: string | null; hasCredentials: number }>(
    SELECT_CLIENT,
    username,
  );
  if (row === undefined) return undefined;
  const { policy, hasCredentials, ...user } = row;
  return { client: { user: toUser(user), policy: policy ?? undefined }, hasCredentials };
}

function readClientPolicy(database: SqliteDatabase, userId: RowId): string | undefined {
  const sql = `SELECT ${text("policy")} AS policy FROM client_policies WHERE user_id = ?`;
  return database.get<{ policy: string }>(sql, userId)?.policy;
}

/** In a transaction: false when the policy is another by now, or there is no such user. */
export function replaceClientPolicy(
  database: SqliteDatabase,
  userId: RowId,
  from: string | undefined,
  to: string | undefined,
): boolean {
  return readClientPolicy(database, userId) === from && writeClientPolicy(database, userId, to);
}

/** In a transaction: stores or removes a policy; false when there is no such user. */
export function writeClientPolicy(
  database: SqliteDatabase,
  userId: RowId,
  policy: string | undefined,
): boolean {
  if (database.get("SELECT 1 FROM users WHERE id = ?", userId) === undefined) return false;
  if (policy === undefined) {
    database.run("DELETE FROM client_policies WHERE user_id = ?", userId);
    return true;
  }
  database.run(
    "INSERT INTO client_policies (user_id, policy) VALUES (?, ?) " +
      "ON CONFLICT (user_id) DO UPDATE SET policy = excluded.policy",
    userId,
    policy,
  );
  return true;
}

export function addCredential(
  database: SqliteDatabase,
  userId: RowId,
  { kid, value, at, validUntil }: NewKeyCredential,
): boolean {
  const added = database.run(
    "INSERT INTO client_credentials (user_id, type, kid, value, created_at, valid_until) " +
      "SELECT id, 'key', ?, ?, ?, ? FROM users WHERE id = ? ON CONFLICT DO NOTHING",
    kid,
    value,
    at,
    validUntil ?? null,
    userId,
  );
  return added === 1;
}

export function removeCredential(database: SqliteDatabase, userId: RowId, kid: string): boolean {
  const sql = "DELETE FROM client_credentials WHERE user_id = ? AND type = 'key' AND kid = ?";
  return database.run(sql, userId, kid) > 0;
}

/** In a transaction: the only passwords of the client are then `to` and what is kept. */
export function replacePassword(
  database: SqliteDatabase,
  userId: RowId,
  { from, to, kept }: PasswordReplacement,
): boolean {
  if (!replacePasswordHash(database, userId, from, to)) return false;
  database.run("DELETE FROM client_credentials WHERE user_id = ? AND type = 'password'", userId);
  if (kept === undefined) return true;
  database.run(
    "INSERT INTO client_credentials (user_id, type, value, created_at, valid_until) " +
      "VALUES (?, 'password', ?, ?, ?)",
    userId,
    kept.value,
    kept.at,
    kept.validUntil,
  );
  return true;
}

/** Whether a credential is as it was checked, and valid at a time in milliseconds. */
export function isUsable(
  database: SqliteDatabase,
  userId: RowId,
  { id, value }: Pick<CredentialRecord, "id" | "value">,
  at: number,
): boolean {
  const sql = "SELECT 1 FROM client_credentials WHERE id = ? AND user_id = ? AND " +
    `${text("value")} = ? AND (valid_until IS NULL OR valid_until > ?)`;
  return database.get(sql, id, userId, value, at) !== undefined;
}

/** Sets when a credential was last used, unless that was written within the last minute. */
export function setLastUsed(database: SqliteDatabase, id: RowId, at: number): void {
  const sql = "UPDATE client_credentials SET last_used = ? " +
    "WHERE id = ? AND (last_used IS NULL OR last_used <= ?)";
  database.run(sql, at, id, at - USE_INTERVAL);
}
