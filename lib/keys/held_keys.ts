/** The stored keys, opened: what a process knows of the storage's keys, and how it learns more. */

import { isSameBytes } from "../base/bytes.ts";
import { readSchedule } from "../sealing/encryption.ts";
import { CommandError, EXIT, KeyUnreadableError } from "../base/errors.ts";
import type { KeyEncryption } from "../sealing/key_encryption.ts";
import type { Log } from "../base/log.ts";
import type { ScheduledKey } from "../rotation/policy.ts";
import { importSigningKey, type PublicJwk, type SigningKey } from "./signing_key.ts";
import { isSameRecord, type KeyRecord, type KeySnapshot, type Storage } from "../storage/storage.ts";

/** An opened key: its schedule, the row it came from, and what it signs with. */
export interface HeldKey extends ScheduledKey {
  record: KeyRecord;
  signing: SigningKey;
  publicJwk: PublicJwk;
}

export interface HeldKeysParts {
  storage: Storage;
  encryption: KeyEncryption;
  log: Log;
}

export class HeldKeys {
  readonly #parts: HeldKeysParts;
  #keys: readonly HeldKey[] = [];
  #snapshot: KeySnapshot = { records: [], check: new Uint8Array() };
  #version: number | undefined;
  #isSuperseded = false;
  #readings = { begun: 0, applied: 0 };

  constructor(parts: HeldKeysParts) {
    this.#parts = parts;
  }

  /** In the order of `kid`; the same array as long as nothing changed. */
  get keys(): readonly HeldKey[] {
    return this.#keys;
  }

  /** What the storage held when it was last read. */
  get snapshot(): KeySnapshot {
    return this.#snapshot;
  }

  /**
   * The keys are sealed under another secret by now. What is held goes on being used, as far as the
   * storage's rows still allow; nothing may be written with the old secret.
   */
  get isSuperseded(): boolean {
    return this.#isSuperseded;
  }

  /** Reads the storage if another process has changed it. */
  async refresh(): Promise<void> {
    if (await this.#parts.storage.version() !== this.#version) await this.reload();
  }

  /**
   * Reads the storage; rows that did not change are not opened again.
   *
   * @throws {KeyUnreadableError} when a row is not as it was sealed; what is held then stays.
   */
  async reload(): Promise<void> {
    const { storage, encryption } = this.#parts;
    const turn = ++this.#readings.begun;
    const version = await storage.version();
    const snapshot = await storage.readKeys();
    const isOurs = isSameBytes(snapshot.check, encryption.record.check);
    if (!isOurs && this.#version === undefined) {
      throw new CommandError(EXIT.config, "the secret of the database was changed just now", [
        "start again with the new secret",
      ]);
    }
    const keys = isOurs
      ? await Promise.all(snapshot.records.map((record) => this.#hold(record)))
      : this.#survivors(snapshot);
    if (turn < this.#readings.applied) return; // a later reading is already in place
    this.#readings.applied = turn;
    this.#snapshot = snapshot;
    this.#version = version;
    this.#noteSecret(isOurs);
    const isSame = keys.length === this.#keys.length &&
      keys.every((key, i) => key === this.#keys[i]);
    if (!isSame) this.#keys = keys;
  }

  async #hold(record: KeyRecord): Promise<HeldKey> {
    const known = this.#keys.find((key) => key.kid === record.kid);
    if (known && isSameRecord(known.record, record)) return known;
    const { schedule, jwk } = await this.#parts.encryption.open(record);
    try {
      const signing = await importSigningKey(jwk);
      return { ...schedule, record, signing, publicJwk: signing.publicJwk };
    } catch (error) {
      throw new KeyUnreadableError(record.kid, "it holds no usable key", { cause: error });
    }
  }

  /**
   * The held keys whose rows are still there, as the rows say. Their private halves cannot be opened
   * any more, but the times stand in the clear in the protected headers.
   */
  #survivors({ records }: KeySnapshot): HeldKey[] {
    return this.#keys.flatMap((key) => {
      const record = records.find(({ kid }) => kid === key.kid);
      if (record === undefined) return [];
      if (isSameRecord(record, key.record)) return [key];
      return [{ ...key, ...readSchedule(record), record }];
    });
  }

  #noteSecret(isOurs: boolean): void {
    if (!isOurs && !this.#isSuperseded) {
      this.#parts.log.error(
        "the secret of the database was changed: this process goes on with the keys it holds and " +
          "makes no new ones; start it again with the new secret",
      );
    }
    this.#isSuperseded = !isOurs;
  }
}
