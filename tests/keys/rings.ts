/** What tests of key rings need: what a ring shows, and several rings over one database. */

import type { JSONWebKeySet } from "jose";
import type { SigningAlgorithm } from "../../lib/keys/algorithms.ts";
import type { HeldKey } from "../../lib/keys/held_key.ts";
import { KeyPool } from "../../lib/keys/key_pool.ts";
import type { KeyDecision } from "../../lib/keys/key_changes.ts";
import { KeyRing } from "../../lib/keys/key_ring.ts";
import type { PrivateJwk } from "../../lib/keys/signing_key.ts";
import { isBornExpired, type KeyState, keyState } from "../../lib/rotation/policy.ts";
import { rotateNow } from "../../lib/rotation/operations.ts";
import { KeyEncryption } from "../../lib/sealing/key_encryption.ts";
import { resealKeys } from "../../lib/sealing/reseal.ts";
import { SqliteStorage } from "../../lib/storage/sqlite/sqlite_storage.ts";
import type { KeyRecord, KeyStorage, Storage } from "../../lib/storage/storage.ts";
import {
  CHEAP,
  type FakeClock,
  makeRing,
  openDatabase,
  openStorage,
  POLICY,
  type RingOptions,
  ringParts,
  SECRET,
  withTempDir,
} from "../support.ts";

export const DAY = 86_400;
export const NEW_SECRET = "another secret altogether";

/** A ring as it is right after it was opened, before any maintenance. */
export async function openRing(options: RingOptions): Promise<KeyRing> {
  return await KeyRing.open(await ringParts(options));
}

/** `makeRing` with the database under its storage, to alter rows in. */
export async function makeRingOverDatabase(options: RingOptions = {}) {
  const database = openDatabase();
  const made = await makeRing({ ...options, storage: new SqliteStorage(database) });
  return { ...made, database };
}

export function publishedKeys(ring: KeyRing): JSONWebKeySet["keys"] {
  const set = ring.published();
  return set === undefined ? [] : JSON.parse(set.text).keys;
}

export function publishedKids(ring: KeyRing): string[] {
  return publishedKeys(ring).map(({ kid }) => kid!);
}

/** The one key in this state that is not born expired. */
export function keyIn(state: KeyState, ring: KeyRing, { seconds }: FakeClock): HeldKey {
  const key = ring.keys.find((key) => keyState(key, seconds) === state);
  if (key === undefined) throw new Error(`No key is ${state}`);
  return key;
}

export function lastingKeys(ring: KeyRing): HeldKey[] {
  return ring.keys.filter((key) => !isBornExpired(key));
}

/** The next key signs from now on, known to verifiers or not. */
export function force(held: readonly HeldKey[], now: number): KeyDecision {
  return { change: rotateNow(held, now, POLICY, { force: true }) };
}

/** Another process seals every key under another secret. */
export async function reseal(
  storage: KeyStorage,
  { from = SECRET, to = NEW_SECRET } = {},
): Promise<KeyEncryption> {
  const old = await KeyEncryption.unlock(from, (await storage.readKeyEncryption())!);
  const next = await KeyEncryption.create(to, CHEAP);
  await resealKeys(storage, old, next);
  return next;
}

/** Writes rows as somebody does who knows no secret. */
export async function putRows(storage: KeyStorage, ...put: KeyRecord[]): Promise<void> {
  if (await storage.changeKeys(await storage.readKeys(), { put, remove: [] })) return;
  throw new Error("The keys changed meanwhile");
}

export async function rowOf(storage: KeyStorage, id: number): Promise<KeyRecord> {
  const record = (await storage.readKeys()).records.find((record) => record.id === id);
  if (record === undefined) throw new Error(`There is no row ${id}`);
  return record;
}

/** Opens storages on one database file, as several processes have them; all are closed at the end. */
export async function withStorages(
  body: (open: () => Storage) => Promise<void>,
): Promise<void> {
  await withTempDir(async (directory) => {
    const storages: Storage[] = [];
    const open = () => {
      const storage = openStorage(`${directory}/keys.db`);
      storages.push(storage);
      return storage;
    };
    try {
      await body(open);
    } finally {
      for (const storage of storages) await storage.close();
    }
  });
}

/** Makes keys as the test says, whichever algorithm is asked for. */
export function poolOf(generate: (alg: SigningAlgorithm) => Promise<PrivateJwk>) {
  return new KeyPool<SigningAlgorithm, PrivateJwk>(generate);
}

/** The lines of a log that hold these words. */
export function linesWith(lines: readonly string[], words: string): string[] {
  return lines.filter((line) => line.includes(words));
}
