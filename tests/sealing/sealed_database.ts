/** A database with sealed keys and its secret's files, and ways to stop what changes them. */

import assert from "node:assert/strict";
import { DISK, type Disk } from "../../lib/base/disk.ts";
import { KeyEncryption } from "../../lib/sealing/key_encryption.ts";
import { changeSecret, renewSecret, type Resealed } from "../../lib/sealing/reseal.ts";
import { obtainSecrets, type SecretSource, unlockFirst } from "../../lib/sealing/secret.ts";
import { SqliteStorage } from "../../lib/storage/sqlite/sqlite_storage.ts";
import type { KeyEncryptionRecord, KeyStorage, Storage } from "../../lib/storage/storage.ts";
import { CHEAP, openDatabase, recordingLog, withTempDir, wrapStorage } from "../support.ts";
import { sourceIn } from "./secret_files.ts";

const SCHEDULES = [1, 2, 3].map((id) => ({
  id,
  signFrom: 100,
  signUntil: 200,
  exp: 300,
  revokedAt: id === 3 ? 300 : undefined,
}));

/** Whatever stands for the private key of a row: sealing does not look into it. */
function jwkOf(id: number) {
  return { kty: "oct", k: "c2VjcmV0", kid: `key ${id}` };
}

export class SealedDatabase {
  readonly database = openDatabase();
  readonly storage: Storage = new SqliteStorage(this.database);
  readonly source: SecretSource;
  /** The file with the secret, unless it is given otherwise. */
  readonly file: string;
  /** What was logged. */
  readonly lines: string[];
  readonly #log;

  constructor(directory: string, given: Partial<SecretSource> = {}) {
    this.source = sourceIn(directory, given);
    this.file = this.source.usualFile!;
    ({ log: this.#log, lines: this.lines } = recordingLog());
  }

  /** Establishes the secret and stores the keys. */
  async fill(): Promise<void> {
    const [{ value }] = await obtainSecrets(this.source, undefined);
    const encryption = await KeyEncryption.establish(this.storage, value, CHEAP);
    const put = await Promise.all(SCHEDULES.map((key) => encryption.seal(key, jwkOf(key.id))));
    assert.ok(await this.storage.changeKeys(await this.storage.readKeys(), { put, remove: [] }));
  }

  async record(): Promise<KeyEncryptionRecord> {
    return (await this.storage.readKeyEncryption())!;
  }

  /** Finds the secret that the files hold for `known` and unlocks with it, as a start does. */
  async unlock(known?: KeyEncryptionRecord, disk?: Disk) {
    const record = known ?? await this.record();
    const secrets = await obtainSecrets(this.source, record);
    return await unlockFirst(secrets, record, this.#log, disk);
  }

  /** Asserts that a start opens every key. */
  async assertOpens(): Promise<void> {
    await assertHolds(this.storage, (await this.unlock()).encryption);
  }

  /** What a rekey works with, when it begins now. */
  async parts({ storage = this.storage, disk = DISK }: { storage?: KeyStorage; disk?: Disk } = {}) {
    const { encryption, secret } = await this.unlock();
    return { storage, encryption, secret, log: this.#log, disk, cost: CHEAP };
  }

  async renew(parts: { storage?: KeyStorage; disk?: Disk } = {}): Promise<Resealed> {
    return await renewSecret(await this.parts(parts), this.file);
  }

  async change(secret: string): Promise<Resealed> {
    return await changeSecret(await this.parts(), secret);
  }
}

/** Asserts that `encryption` opens every key in `storage`, and each as it was stored. */
export async function assertHolds(storage: KeyStorage, encryption: KeyEncryption): Promise<void> {
  const { records } = await storage.readKeys();
  const opened = await Promise.all(records.map((record) => encryption.open(record)));
  assert.deepEqual(opened, SCHEDULES.map((schedule) => ({ schedule, jwk: jwkOf(schedule.id) })));
}

/** Runs `body` with a filled database, whose secret is `given` or made. */
export async function withSealedDatabase(
  body: (sealed: SealedDatabase, directory: string) => Promise<void>,
  given?: Partial<SecretSource>,
): Promise<void> {
  await withTempDir(async (directory) => {
    const sealed = new SealedDatabase(directory, given);
    await sealed.fill();
    try {
      await body(sealed, directory);
    } finally {
      await sealed.storage.close();
    }
  });
}

/** Whether what is stopped has taken effect by then. */
export type Moment = "before" | "after";

/** Stops a process at its `step`-th operation on files, counted from 1: that one never settles. */
export function stoppingDisk(step: number, moment: Moment) {
  const stopped = Promise.withResolvers<"stopped">();
  let steps = 0;
  const stopping =
    <Names extends unknown[]>(operation: (...names: Names) => Promise<void>) =>
    async (...names: Names): Promise<void> => {
      if (++steps !== step) return await operation(...names);
      if (moment === "after") await operation(...names);
      stopped.resolve("stopped");
      await forever();
    };
  const disk: Disk = {
    write: stopping(DISK.write),
    link: stopping(DISK.link),
    rename: stopping(DISK.rename),
    remove: stopping(DISK.remove),
    sync: stopping(DISK.sync),
  };
  return { disk, stopped: stopped.promise };
}

/** Stops a process in the transaction that seals the keys anew. */
export function stoppingStorage(storage: Storage, moment: Moment) {
  const stopped = Promise.withResolvers<"stopped">();
  const wrapped = wrapStorage(storage, (own) => ({
    async rekey(...change) {
      if (moment === "after") assert.ok(await own.rekey(...change));
      stopped.resolve("stopped");
      return await forever();
    },
  }));
  return { storage: wrapped, stopped: stopped.promise };
}

function forever(): Promise<never> {
  return new Promise<never>(() => {});
}
