/** The stored keys, opened: what a process knows of the storage's keys, and how it learns more. */

import { isSameBytes } from "../base/bytes.ts";
import { DomainError, isDomainError, keyUnreadable } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { activeKey, waitingKeys } from "../rotation/policy.ts";
import type { KeyEncryption } from "../sealing/key_encryption.ts";
import type { KeyEncryptionRecord, KeySnapshot, KeyStorage, OddRow } from "../storage/storage.ts";
import { byId, type HeldKey, isSameRecord, openRow, type Reading, survivors } from "./held_key.ts";

export interface HeldKeysParts {
  storage: KeyStorage;
  encryption: KeyEncryption;
  /** Finds what opens the storage after it was sealed under another secret, if this process can. */
  reopen: (record: KeyEncryptionRecord) => Promise<KeyEncryption | undefined>;
  /** Whether the first reading refuses everything when a row cannot be opened. */
  isStrict: boolean;
  log: Log;
}

export class HeldKeys {
  readonly #parts: HeldKeysParts;
  #encryption: KeyEncryption;
  #keys: readonly HeldKey[] = [];
  #refused: readonly OddRow[] = [];
  #snapshot: KeySnapshot = {
    revision: -1,
    records: [],
    odd: [],
    check: new Uint8Array(),
    policy: undefined,
  };
  #isSuperseded = false;
  /** Keys that were revoked, by the number of the row, since this process began. */
  readonly #revoked = new Set<number>();
  #readings = { begun: 0, applied: 0 };

  constructor(parts: HeldKeysParts) {
    this.#parts = parts;
    this.#encryption = parts.encryption;
  }

  /** In the order of `id`; the same array as long as nothing changed. */
  get keys(): readonly HeldKey[] {
    return this.#keys;
  }

  /** Rows that cannot be opened: no key of theirs signs or is published. */
  get refused(): readonly OddRow[] {
    return this.#refused;
  }

  /** What the storage held when it was last read. */
  get snapshot(): KeySnapshot {
    return this.#snapshot;
  }

  /** What the keys are sealed under. */
  get encryption(): KeyEncryption {
    return this.#encryption;
  }

  /**
   * The keys are sealed under a secret by now that this process does not have. What is held goes on
   * being used, as far as the storage's rows still allow; nothing may be written with the old secret.
   */
  get isSuperseded(): boolean {
    return this.#isSuperseded;
  }

  /** The key that signs at `now`, in seconds since the epoch. */
  signerAt(now: number): HeldKey | undefined {
    const active = activeKey(this.#keys, now);
    // Another process has ended it early and told nobody here when the next one begins.
    if (active === undefined && this.#isSuperseded) return waitingKeys(this.#keys, now)[0];
    return active;
  }

  /**
   * Reads the storage if the keys have changed in it, or had `maxAge` milliseconds ago.
   *
   * @throws as `reload` does.
   */
  async refresh(maxAge?: number): Promise<void> {
    const isKnown = await this.#parts.storage.revision(maxAge) === this.#snapshot.revision;
    if (!isKnown) await this.reload();
  }

  /**
   * Reads the storage; rows that did not change are not opened again. A row that is not as it was
   * sealed, or undoes a revocation that this process knows of, takes itself out, and is named in the
   * log.
   *
   * @throws {DomainError} `storage_unavailable`; what is held then stays. `secret_unusable` when the
   * first reading finds the keys under a secret that this process does not have; `key_unreadable`
   * when a strict first reading meets a row that is not as it was sealed.
   */
  async reload(): Promise<void> {
    const turn = ++this.#readings.begun;
    const snapshot = await this.#parts.storage.readKeys();
    const encryption = await this.#encryptionOf(snapshot);
    if (encryption === undefined && this.#readings.applied === 0) {
      throw new DomainError("secret_unusable", "The secret of the database was changed just now", {
        hints: ["start again with the new secret"],
      });
    }
    const reading = encryption
      ? await this.#open(snapshot, encryption)
      : survivors(this.#keys, snapshot);
    const [worst] = reading.refused;
    if (worst !== undefined && this.#parts.isStrict && this.#readings.applied === 0) {
      throw keyUnreadable(worst.id, worst.reason);
    }
    if (turn < this.#readings.applied) return; // a later reading is already in place
    this.#readings.applied = turn;
    this.#apply(snapshot, reading, encryption);
  }

  async #encryptionOf({ check }: KeySnapshot): Promise<KeyEncryption | undefined> {
    if (isSameBytes(check, this.#encryption.record.check)) return this.#encryption;
    const { storage, reopen } = this.#parts;
    try {
      const record = await storage.readKeyEncryption();
      const found = record && await reopen(record);
      return found && isSameBytes(found.record.check, check) ? found : undefined;
    } catch (error) {
      // A file that is half changed, a record that is none: what is held goes on being used.
      const isNone = isDomainError(error, "secret_unusable") ||
        isDomainError(error, "database_unusable");
      if (isNone) return undefined;
      throw error;
    }
  }

  async #open(snapshot: KeySnapshot, encryption: KeyEncryption): Promise<Reading> {
    const held = byId(this.#keys);
    const opened = await Promise.all(snapshot.records.map(async (record) => {
      const known = held.get(record.id);
      if (known?.record && isSameRecord(known.record, record)) return known;
      try {
        const key = await openRow(record, encryption);
        if (!this.#revoked.has(key.id) || key.revokedAt !== undefined) return key;
        return { id: String(key.id), reason: "its key is revoked, and the row is an older one" };
      } catch (error) {
        if (!isDomainError(error, "key_unreadable")) throw error;
        return { id: String(record.id), reason: error.data.reason! };
      }
    }));
    const isKey = (row: HeldKey | OddRow): row is HeldKey => "record" in row;
    return {
      keys: opened.filter(isKey),
      refused: [...snapshot.odd, ...opened.filter((row) => !isKey(row))] as OddRow[],
    };
  }

  #apply(snapshot: KeySnapshot, { keys, refused }: Reading, encryption?: KeyEncryption): void {
    this.#noteRefused(refused);
    this.#noteSecret(encryption);
    for (const { id, revokedAt } of keys) if (revokedAt !== undefined) this.#revoked.add(id);
    this.#snapshot = snapshot;
    const isSame = keys.length === this.#keys.length &&
      keys.every((key, place) => key === this.#keys[place]);
    if (!isSame) this.#keys = keys;
  }

  #noteRefused(refused: readonly OddRow[]): void {
    const known = new Map(this.#refused.map(({ id, reason }) => [id, reason]));
    const held = new Map(this.#keys.map((key) => [String(key.id), key.kid]));
    for (const { id, reason } of refused) {
      if (known.get(id) === reason) continue;
      const kid = held.get(id);
      this.#parts.log.error(
        "a stored key is refused: it neither signs nor is published, the others go on",
        { row: id, reason, ...(kid === undefined ? {} : { kid }) },
      );
    }
    this.#refused = refused;
  }

  #noteSecret(encryption: KeyEncryption | undefined): void {
    const { log } = this.#parts;
    if (encryption === undefined && !this.#isSuperseded) {
      log.error(
        "the secret of the database was changed: this process goes on with the keys it holds and " +
          "makes no new ones; start it again with the new secret",
      );
    }
    if (encryption !== undefined && encryption !== this.#encryption) {
      log.info("the secret of the database was changed: this process goes on under the new one");
      this.#encryption = encryption;
    }
    this.#isSuperseded = encryption === undefined;
  }
}
