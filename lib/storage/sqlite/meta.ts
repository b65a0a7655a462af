/** The table `meta`: what is kept of the secret, the policy, and the key of deleted names. */

import { DomainError } from "../../base/errors.ts";
import type { KeyEncryptionRecord } from "../storage.ts";
import type { Connection } from "./connection.ts";

const META = { derivation: "kek_derivation", check: "kek_check" } as const;

/** What reads and writes: a connection, or the database over it. */
type Statements = Pick<Connection, "get" | "run">;

/**
 * Both values of the secret, or `undefined` when there are none yet. Keys without them could not be
 * opened any more, and a new salt would make that final.
 *
 * @throws {DomainError} `database_unusable` when only one is there, or none although there are keys.
 */
export function readKeyEncryption(database: Statements): KeyEncryptionRecord | undefined {
  const derivation = readMeta(database, META.derivation);
  const check = readMeta(database, META.check);
  if (derivation && check) return { derivation, check };
  const hasKeys = database.get("SELECT 1 FROM keys LIMIT 1") !== undefined;
  if (!derivation && !check && !hasKeys) return undefined;
  throw new DomainError(
    "database_unusable",
    "The database lacks what is needed to open its keys with the secret (the table meta)",
    { hints: ["restore a backup; nothing was changed"] },
  );
}

/** Writes both values, in place of those that are there. */
export function writeKeyEncryption(database: Statements, record: KeyEncryptionRecord): void {
  writeMeta(database, META.derivation, record.derivation);
  writeMeta(database, META.check, record.check);
}

/** The check value alone; empty when there is none. */
export function readCheck(database: Statements): Uint8Array {
  return readMeta(database, META.check) ?? new Uint8Array();
}

export function readPolicy(database: Statements): Uint8Array | undefined {
  return readMeta(database, "policy");
}

export function writePolicy(database: Statements, policy: Uint8Array): void {
  writeMeta(database, "policy", policy);
}

/**
 * The key that names are hashed under, or `undefined` when there is none yet.
 *
 * @throws {DomainError} `database_unusable` when it is lost: no deleted name could be told any more.
 */
export function readNameKey(database: Statements): Uint8Array | undefined {
  const key = readMeta(database, "name_key");
  if (key !== undefined || database.get("SELECT 1 FROM tombstones LIMIT 1") === undefined) {
    return key;
  }
  throw new DomainError(
    "database_unusable",
    "The database lacks the key of its deleted names (name_key in the table meta)",
    { hints: ["restore a backup; nothing was changed"] },
  );
}

export function writeNameKey(database: Statements, key: Uint8Array): void {
  writeMeta(database, "name_key", key);
}

/** Whether a server runs on the database, or did not come to close it. */
export function isMarkedRunning(database: Statements): boolean {
  return readMeta(database, "running") !== undefined;
}

/** Of several servers, the last to start has the mark. */
export function markRunning(database: Statements, server: Uint8Array): void {
  writeMeta(database, "running", server);
}

/** Takes the mark away unless it is another server's. */
export function unmarkRunning(database: Statements, server: Uint8Array): void {
  database.run("DELETE FROM meta WHERE name = 'running' AND value = ?", server);
}

/** The greatest number of changes: SQLite would not count on exactly from much greater ones. */
export const LAST_REVISION = 2 ** 52;

/** How often the keys, or what they are sealed under and kept by, have changed. */
export function readRevision(database: Statements): number {
  const sql = "SELECT CAST(value AS REAL) AS value FROM meta WHERE name = 'keys_revision'";
  return database.get<{ value: number }>(sql)?.value ?? 0;
}

/** Sets that number; bound as it is, it would become a floating-point one. */
export function writeRevision(database: Statements, revision: number): void {
  const sql = "INSERT INTO meta (name, value) VALUES ('keys_revision', CAST(? AS INTEGER)) " +
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value";
  database.run(sql, revision);
}

function readMeta(database: Statements, name: string): Uint8Array | undefined {
  const sql = "SELECT value FROM meta WHERE name = ?";
  const value = database.get<{ value: unknown }>(sql, name)?.value;
  return value === undefined || value instanceof Uint8Array
    ? value
    : new TextEncoder().encode(String(value)); // another program wrote it: nobody will understand it
}

function writeMeta(database: Statements, name: string, value: Uint8Array): void {
  database.run(
    "INSERT INTO meta (name, value) VALUES (?, ?) " +
      "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    name,
    value,
  );
}
