/** The table `meta`: what is kept of the secret, the policy, and the key of deleted names. */

import { DomainError, storageUnavailable } from "../../base/errors.ts";
import type { KeyEncryptionRecord } from "../storage.ts";
import type { Statements } from "./transaction.ts";

/** Names in `meta`; all but the last count as changes of the keys (see `schema.ts`). */
export const META = {
  derivation: "kek_derivation",
  check: "kek_check",
  policy: "policy",
  nameKey: "name_key",
} as const;

/** The number of changes of the keys, as an expression. */
export const REVISION = "(SELECT version FROM key_state)";

/** @throws {DomainError} `storage_unavailable` when its row was deleted: nothing could be decided. */
export function toRevision(version: number | null | undefined): number {
  if (version === null || version === undefined) {
    throw storageUnavailable("altered", new Error("The table key_state lacks its row"));
  }
  return version;
}

export async function readRevision(statements: Statements): Promise<number> {
  const { rows } = await statements.query<{ version: number | null }>(
    `SELECT ${REVISION} AS version`,
  );
  return toRevision(rows[0]?.version);
}

/**
 * In a transaction: waits for all others that change the keys, or make what is made once, and then
 * holds them up. The row is always there, unlike those that are made.
 */
export async function lockState(tx: Statements): Promise<void> {
  const { rows } = await tx.query<{ version: number | null }>(
    "SELECT version FROM key_state FOR NO KEY UPDATE",
  );
  toRevision(rows[0]?.version);
}

/**
 * Both values of the secret, or `undefined` when there are none yet. Keys without them could not be
 * opened any more, and a new salt would make that final.
 *
 * @throws {DomainError} `database_unusable` when only one is there, or none although there are keys.
 */
export async function readKeyEncryption(
  statements: Statements,
): Promise<KeyEncryptionRecord | undefined> {
  const { rows } = await statements.query<Found>(SELECT_KEY_ENCRYPTION);
  const { derivation, check, hasKeys } = rows[0]!;
  if (derivation && check) return { derivation, check };
  if (!derivation && !check && !hasKeys) return undefined;
  throw new DomainError(
    "database_unusable",
    "The database lacks what is needed to open its keys with the secret (the table meta)",
    { hints: ["restore a backup; nothing was changed"] },
  );
}

interface Found {
  derivation: Uint8Array | null;
  check: Uint8Array | null;
  hasKeys: boolean;
}

/** One statement, which sees the values as they are at one moment. */
const SELECT_KEY_ENCRYPTION = `SELECT ${valueOf(META.derivation)} AS derivation, ` +
  `${valueOf(META.check)} AS check, EXISTS (SELECT FROM keys) AS "hasKeys"`;

/** The value of that name as an expression; NULL where there is none. */
export function valueOf(name: string): string {
  return `(SELECT value FROM meta WHERE name = '${name}')`;
}

/** In a transaction: stores the record when there is none yet; says whether it did. */
export async function createKeyEncryption(
  tx: Statements,
  record: KeyEncryptionRecord,
): Promise<boolean> {
  await lockState(tx);
  if (await readKeyEncryption(tx) !== undefined) return false;
  await writeKeyEncryption(tx, record);
  return true;
}

/** Writes both values, in place of those that are there. */
export async function writeKeyEncryption(
  statements: Statements,
  { derivation, check }: KeyEncryptionRecord,
): Promise<void> {
  await writeMeta(statements, META.derivation, derivation);
  await writeMeta(statements, META.check, check);
}

export async function writePolicy(statements: Statements, policy: Uint8Array): Promise<void> {
  await writeMeta(statements, META.policy, policy);
}

/**
 * The key that names are hashed under, or `undefined` when there is none yet.
 *
 * @throws {DomainError} `database_unusable` when it is lost: no deleted name could be told any more.
 */
export async function readNameKey(statements: Statements): Promise<Uint8Array | undefined> {
  const { rows } = await statements.query<{ key: Uint8Array | null; hasNames: boolean }>(
    `SELECT ${valueOf(META.nameKey)} AS key, EXISTS (SELECT FROM tombstones) AS "hasNames"`,
  );
  const { key, hasNames } = rows[0]!;
  if (key !== null) return key;
  if (!hasNames) return undefined;
  throw new DomainError(
    "database_unusable",
    "The database lacks the key of its deleted names (name_key in the table meta)",
    { hints: ["restore a backup; nothing was changed"] },
  );
}

/** In a transaction: the key that stands there by then, which is `fresh` when there was none. */
export async function createNameKey(tx: Statements, fresh: Uint8Array): Promise<Uint8Array> {
  await lockState(tx);
  const made = await readNameKey(tx);
  if (made === undefined) await writeMeta(tx, META.nameKey, fresh);
  return made ?? fresh;
}

async function writeMeta(
  statements: Statements,
  name: string,
  value: Uint8Array,
): Promise<void> {
  await statements.query(
    "INSERT INTO meta (name, value) VALUES ($1, $2) " +
      "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    [name, value],
  );
}
