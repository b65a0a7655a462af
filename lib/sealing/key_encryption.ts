/** The key-encryption key in use, and what the storage keeps of it. */

import type { JWK } from "jose";
import type { Argon2Cost } from "../base/argon2_cost.ts";
import { DomainError } from "../base/errors.ts";
import type { ScheduledKey } from "../rotation/policy.ts";
import type { KeyEncryptionRecord, KeyRecord, KeyStorage } from "../storage/storage.ts";
import {
  createDerivation,
  decodeDerivation,
  deriveKeyEncryptionKey,
  encodeDerivation,
  openKey,
  opensCheck,
  sealCheck,
  sealKey,
} from "./encryption.ts";

/** Seals and opens private keys under one secret. */
export class KeyEncryption {
  readonly #kek: CryptoKey;
  /** What the storage keeps, and what tells one secret's keys from another's. */
  readonly record: KeyEncryptionRecord;

  private constructor(kek: CryptoKey, record: KeyEncryptionRecord) {
    this.#kek = kek;
    this.record = record;
  }

  /** Derives a new key-encryption key from `secret`, with a salt of its own. */
  static async create(secret: string, cost?: Argon2Cost): Promise<KeyEncryption> {
    const derivation = createDerivation(cost);
    const kek = await deriveKeyEncryptionKey(secret, derivation);
    const record = { derivation: encodeDerivation(derivation), check: await sealCheck(kek) };
    return new KeyEncryption(kek, record);
  }

  /**
   * Derives the key-encryption key that `record` describes; `undefined` for a wrong secret.
   *
   * @throws {DomainError} `database_unusable` when the record is not one of this program.
   */
  static async tryUnlock(
    secret: string,
    record: KeyEncryptionRecord,
  ): Promise<KeyEncryption | undefined> {
    const kek = await deriveKeyEncryptionKey(secret, decodeDerivation(record.derivation));
    return await opensCheck(kek, record.check) ? new KeyEncryption(kek, record) : undefined;
  }

  /** As `tryUnlock`. @throws {DomainError} `secret_unusable` when the secret is not the one, too. */
  static async unlock(secret: string, record: KeyEncryptionRecord): Promise<KeyEncryption> {
    const unlocked = await KeyEncryption.tryUnlock(secret, record);
    if (unlocked !== undefined) return unlocked;
    throw wrongSecret();
  }

  /**
   * Gives a new storage its key-encryption key; of two processes at once, one wins for both.
   *
   * @throws as `unlock` does.
   */
  static async establish(
    storage: KeyStorage,
    secret: string,
    cost?: Argon2Cost,
  ): Promise<KeyEncryption> {
    const known = await storage.readKeyEncryption();
    if (known) return await KeyEncryption.unlock(secret, known);
    const created = await KeyEncryption.create(secret, cost);
    if (await storage.createKeyEncryption(created.record)) return created;
    return await KeyEncryption.unlock(secret, (await storage.readKeyEncryption())!);
  }

  seal(schedule: ScheduledKey, jwk: JWK): Promise<KeyRecord> {
    return sealKey(this.#kek, schedule, jwk);
  }

  /** @throws {DomainError} `key_unreadable` when the row is not as it was sealed. */
  open(record: KeyRecord): Promise<{ schedule: ScheduledKey; jwk: JWK }> {
    return openKey(this.#kek, record);
  }
}

/** What a wrong secret is answered with. */
export function wrongSecret(): DomainError {
  return new DomainError(
    "secret_unusable",
    "The secret is not the one this database was made with",
    {
      hints: [
        "set NOT_MY_KEY or NOT_MY_KEY_FILE to the secret of this database; nothing was changed",
      ],
    },
  );
}
