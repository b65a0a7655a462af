/** The table `keys`, with what stands in `meta` beside it. */

import { isSameBytes } from "../../base/bytes.ts";
import type { KeyChange, KeyEncryptionRecord, KeyRecord, KeySnapshot, OddRow } from "../storage.ts";
import type { SqliteDatabase } from "./database.ts";
import { exact } from "./columns.ts";
import { readCheck, readPolicy, readRevision, writeKeyEncryption } from "./meta.ts";

/** A row as it is: a program that is not this one may have written anything anywhere. */
interface Row {
  id: number | string;
  key: unknown;
  exp: unknown;
}

const SELECT = `SELECT ${exact("kid")} AS id, key, ${exact("exp")} AS exp FROM keys ORDER BY kid`;

export function readKeys(database: SqliteDatabase): KeySnapshot {
  const records: KeyRecord[] = [];
  const odd: OddRow[] = [];
  for (const { id, key, exp } of database.all<Row>(SELECT)) {
    if (typeof id !== "number") odd.push({ id, reason: "its kid is larger than any key's" });
    else if (typeof exp !== "number" || !Number.isSafeInteger(exp)) {
      odd.push({ id: String(id), reason: "its exp is no time" });
    } else if (!(key instanceof Uint8Array)) {
      odd.push({ id: String(id), reason: "its key is no bytes" });
    } else records.push({ id, key, exp });
  }
  const check = readCheck(database);
  return { revision: readRevision(database), records, odd, check, policy: readPolicy(database) };
}

/** In a transaction: applies `change` unless something has changed since `expected` was read. */
export function changeKeys(
  database: SqliteDatabase,
  expected: KeySnapshot,
  { put, remove }: KeyChange,
): boolean {
  if (!isCurrent(database, expected)) return false;
  for (const id of remove) database.run("DELETE FROM keys WHERE kid = ?", id);
  putKeys(database, put);
  return true;
}

/** In a transaction: replaces everything unless something has changed since `expected` was read. */
export function replaceKeys(
  database: SqliteDatabase,
  expected: KeySnapshot,
  records: readonly KeyRecord[],
  keyEncryption: KeyEncryptionRecord,
): boolean {
  if (!isCurrent(database, expected)) return false;
  database.run("DELETE FROM keys");
  putKeys(database, records);
  writeKeyEncryption(database, keyEncryption);
  return true;
}

function putKeys(database: SqliteDatabase, records: readonly KeyRecord[]): void {
  for (const { id, key, exp } of records) {
    database.run(
      "INSERT INTO keys (kid, key, exp) VALUES (?, ?, ?) " +
        "ON CONFLICT (kid) DO UPDATE SET key = excluded.key, exp = excluded.exp",
      id,
      key,
      exp,
    );
  }
}

function isCurrent(database: SqliteDatabase, { revision, check }: KeySnapshot): boolean {
  return readRevision(database) === revision && isSameBytes(readCheck(database), check);
}
