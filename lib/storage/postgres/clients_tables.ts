/** The tables `client_policies` and `client_credentials`. */

import type {
  ClientRecord,
  CredentialRecord,
  NewKeyCredential,
  PasswordReplacement,
  RowId,
} from "../storage.ts";
import type { Statements } from "./transaction.ts";
import { folded } from "./schema.ts";
import { isNamed, toUser, USER_COLUMNS, type UserRow } from "./users_table.ts";

/** The credentials of a user as JSON, with its members as they are named in their record. */
const CREDENTIALS = "(SELECT json_agg(json_build_object(" +
  "'id', id::text, 'type', type, 'kid', kid, 'value', value, 'createdAt', created_at, " +
  "'validUntil', valid_until, 'lastUsed', last_used) ORDER BY id)::text " +
  "FROM client_credentials WHERE user_id = users.id)";

/** All of a client in one statement, which sees it as it is at one moment. */
const SELECT_CLIENT = `SELECT ${USER_COLUMNS}, ` +
  "(SELECT policy FROM client_policies WHERE user_id = users.id) AS policy, " +
  `${CREDENTIALS} AS credentials FROM users`;

interface ClientRow extends UserRow {
  policy: string | null;
  credentials: string | null;
}

function toClient({ policy, credentials, ...user }: ClientRow): ClientRecord {
  return {
    user: toUser(user),
    policy: policy ?? undefined,
    credentials: credentials === null ? [] : JSON.parse(credentials).map(toCredential),
  };
}

/** Only as text does a large number survive JSON. */
function toCredential(found: CredentialRecord & { id: string }): CredentialRecord {
  const number = Number(found.id);
  return { ...found, id: Number.isSafeInteger(number) ? number : found.id };
}

export async function findClient(
  statements: Statements,
  username: string,
): Promise<ClientRecord | undefined> {
  const sql = `${SELECT_CLIENT} WHERE ${isNamed("$1")}`;
  const { rows: [row] } = await statements.query<ClientRow>(sql, [username]);
  return row && toClient(row);
}

/** The clients of these names, in any ASCII case and order. */
export async function findClients(
  statements: Statements,
  usernames: readonly string[],
): Promise<ClientRecord[]> {
  const names = `SELECT ${folded("name")} FROM unnest($1::text[]) AS name`;
  const sql = `${SELECT_CLIENT} WHERE ${folded("username")} = ANY(ARRAY(${names}))`;
  const { rows } = await statements.query<ClientRow>(sql, [usernames]);
  return rows.map(toClient);
}

/**
 * The user whose client is changed, by `$1`. Who changes a client holds its user's row: who changes
 * several at once can count on what it has read of them. Logins do not wait for it.
 */
const HELD = "SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE";

/** False when the policy is another by now, or there is no such user. */
export async function replaceClientPolicy(
  statements: Statements,
  userId: RowId,
  from: string | undefined,
  to: string | undefined,
): Promise<boolean> {
  const { rows } = await statements.query(replacementOf(from, to), [
    userId,
    ...[from, to].filter((policy) => policy !== undefined),
  ]);
  return rows.length === 1;
}

/** The statement that gives a row when it has replaced a policy, or the absence of one. */
function replacementOf(from: string | undefined, to: string | undefined): string {
  const held = `WITH held AS (${HELD})`;
  const isHeld = "user_id = held.id";
  if (from === undefined && to === undefined) {
    return `${held} SELECT id FROM held ` +
      `WHERE NOT EXISTS (SELECT FROM client_policies WHERE ${isHeld})`;
  }
  if (from === undefined) {
    return `${held} INSERT INTO client_policies (user_id, policy) SELECT id, $2 FROM held ` +
      "ON CONFLICT DO NOTHING RETURNING user_id";
  }
  const change = to === undefined
    ? "DELETE FROM client_policies USING held"
    : "UPDATE client_policies SET policy = $3 FROM held";
  return `${held} ${change} WHERE ${isHeld} AND policy = $2 RETURNING user_id`;
}

/** Stores or removes a policy; false when there is no such user. */
export async function writeClientPolicy(
  statements: Statements,
  userId: RowId,
  policy: string | undefined,
): Promise<boolean> {
  const change = policy === undefined
    ? "DELETE FROM client_policies USING held WHERE user_id = held.id"
    : "INSERT INTO client_policies (user_id, policy) SELECT id, $2 FROM held " +
      "ON CONFLICT (user_id) DO UPDATE SET policy = excluded.policy";
  const { rows } = await statements.query(
    `WITH held AS (${HELD}), written AS (${change}) SELECT id FROM held`,
    policy === undefined ? [userId] : [userId, policy],
  );
  return rows.length === 1;
}

export async function addCredential(
  statements: Statements,
  userId: RowId,
  { kid, value, at, validUntil }: NewKeyCredential,
): Promise<boolean> {
  const { count } = await statements.query(
    `WITH held AS (${HELD}) INSERT INTO client_credentials ` +
      "(user_id, type, kid, value, created_at, valid_until) " +
      "SELECT id, 'key', $2, $3, $4, $5 FROM held ON CONFLICT DO NOTHING",
    [userId, kid, value, at, validUntil ?? null],
  );
  return count === 1;
}

export async function removeCredential(
  statements: Statements,
  userId: RowId,
  kid: string,
): Promise<boolean> {
  const { count } = await statements.query(
    `WITH held AS (${HELD}) DELETE FROM client_credentials USING held ` +
      "WHERE user_id = held.id AND type = 'key' AND kid = $2",
    [userId, kid],
  );
  return count > 0;
}

/** The only passwords of the client are then `to` and what is kept. */
export async function replacePassword(
  statements: Statements,
  userId: RowId,
  { from, to, kept }: PasswordReplacement,
): Promise<boolean> {
  const { rows } = await statements.query(
    "WITH replaced AS (UPDATE users SET password_hash = $3 " +
      "WHERE id = $1 AND password_hash = $2 RETURNING id), " +
      "ended AS (DELETE FROM client_credentials USING replaced " +
      "WHERE user_id = replaced.id AND type = 'password'), " +
      "kept AS (INSERT INTO client_credentials (user_id, type, value, created_at, valid_until) " +
      "SELECT id, 'password', $4, $5, $6 FROM replaced WHERE $4::text IS NOT NULL) " +
      "SELECT id FROM replaced",
    [userId, from, to, kept?.value ?? null, kept?.at ?? null, kept?.validUntil ?? null],
  );
  return rows.length === 1;
}
