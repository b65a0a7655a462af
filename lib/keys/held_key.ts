/** A row of the storage as a key that a process holds: opened, or what an unproven row leaves of it. */

import { isSameBytes } from "../base/bytes.ts";
import { keyUnreadable } from "../base/errors.ts";
import type { ScheduledKey } from "../rotation/policy.ts";
import { readSchedule } from "../sealing/encryption.ts";
import type { KeyEncryption } from "../sealing/key_encryption.ts";
import type { KeyRecord, KeySnapshot, OddRow } from "../storage/storage.ts";
import { importSigningKey, type SigningKey } from "./signing_key.ts";

/** An opened key: its schedule, and what it signs with. */
export interface HeldKey extends ScheduledKey, SigningKey {
  /** The row that it was opened from; `undefined` when another row, unproven, has ended it earlier. */
  record: KeyRecord | undefined;
}

/** What one reading of the storage gave. */
export interface Reading {
  keys: readonly HeldKey[];
  refused: readonly OddRow[];
}

/** @throws {DomainError} `key_unreadable` when the row is not as it was sealed. */
export async function openRow(record: KeyRecord, encryption: KeyEncryption): Promise<HeldKey> {
  const { schedule, jwk } = await encryption.open(record);
  try {
    return { ...schedule, ...await importSigningKey(jwk), record };
  } catch (error) {
    throw keyUnreadable(record.id, "it holds no usable key", error);
  }
}

/**
 * The held keys whose rows are still there, when those cannot be opened any more. Nobody proves the
 * times in their headers, so they can only take away: a revocation, or an earlier end.
 */
export function survivors(held: readonly HeldKey[], { records }: KeySnapshot): Reading {
  const rows = byId(records);
  const refused: OddRow[] = [];
  const keys = held.flatMap((key) => {
    const record = rows.get(key.id);
    if (record === undefined) return [];
    if (key.record && isSameRecord(record, key.record)) return [key];
    try {
      const { signUntil, exp, revokedAt } = readSchedule(record);
      return [{
        ...key,
        record: undefined,
        signUntil: Math.min(key.signUntil, signUntil),
        exp: Math.min(key.exp, exp),
        revokedAt: key.revokedAt ?? revokedAt,
      }];
    } catch (error) {
      refused.push({ id: String(key.id), reason: (error as Error).message });
      return [];
    }
  });
  return { keys, refused };
}

export function byId<Row extends { id: number }>(rows: readonly Row[]): Map<number, Row> {
  return new Map(rows.map((row) => [row.id, row]));
}

/** Whether two rows of `keys` are the same to the byte. */
export function isSameRecord(one: KeyRecord, other: KeyRecord): boolean {
  return one.id === other.id && one.exp === other.exp && isSameBytes(one.key, other.key);
}
