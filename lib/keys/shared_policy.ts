/** Which policy the keys are kept by, when several processes share a database. */

import { isSameBytes } from "../base/bytes.ts";
import { type Clock, isoTime, numericDate } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { newKeysSignFrom } from "../rotation/operations.ts";
import type { KeyStorage } from "../storage/storage.ts";
import type { HeldKeys } from "./held_keys.ts";
import { decodePolicy, encodePolicy, type KeyPolicy, policyDifferences } from "./key_policy.ts";

export interface SharedPolicyParts {
  storage: KeyStorage;
  held: HeldKeys;
  /** The policy that this process is configured with. */
  policy: KeyPolicy;
  /** The variables that it states, when the others are not its say; else all of them are. */
  stated?: ReadonlySet<string>;
  clock: Clock;
  log: Log;
}

/**
 * The storage's policy is the one in force: the server that started last wrote it, and every other
 * process goes by it and says how it is configured otherwise. So no two of them fight.
 */
export class SharedPolicy {
  readonly #parts: SharedPolicyParts;
  #value: KeyPolicy;
  /** The stored bytes that `#value` stands for. */
  #source: Uint8Array | undefined;
  #isAdopted = false;

  constructor(parts: SharedPolicyParts) {
    this.#parts = parts;
    this.#value = parts.policy;
  }

  /** The policy in force. */
  get value(): KeyPolicy {
    return this.#value;
  }

  /** How this process is configured otherwise, in words. */
  get differences(): string[] {
    const { policy, stated } = this.#parts;
    return policyDifferences(policy, this.#value, stated);
  }

  /**
   * Puts this process's own policy into force, once.
   *
   * @throws {DomainError} `storage_unavailable`; the next call tries again.
   */
  async adopt(): Promise<void> {
    if (this.#isAdopted) return;
    const { storage, held, policy } = this.#parts;
    await held.refresh();
    const bytes = encodePolicy(policy);
    const stored = held.snapshot.policy;
    if (stored === undefined || !isSameBytes(stored, bytes)) {
      const before = stored && decodePolicy(stored);
      if (before !== undefined) this.#tellOfChange(before);
      await storage.writePolicy(bytes);
    }
    this.#isAdopted = true;
    [this.#value, this.#source] = [policy, bytes];
  }

  #tellOfChange(before: KeyPolicy): void {
    const { held, clock, policy, log } = this.#parts;
    const changes = policyDifferences(policy, before);
    if (changes.length === 0) return;
    // The keys that there are sign as planned: those of another algorithm come after them.
    const start = isoTime(newKeysSignFrom(held.keys, numericDate(clock()), policy));
    const when = before.alg === policy.alg ? {} : { new_algorithm_signs_from: start };
    log.warn("the policy of the database is changed", { changes, ...when });
  }

  /** Goes by what was last read of the storage, which another process may have changed. */
  follow(): void {
    const { held, log } = this.#parts;
    const stored = held.snapshot.policy;
    if (stored === undefined || (this.#source && isSameBytes(this.#source, stored))) return;
    this.#source = stored;
    const value = decodePolicy(stored);
    if (value === undefined) {
      log.error(
        "the policy in the database (the table meta) is none: the one before stays in force",
      );
      return;
    }
    this.#value = value;
    if (this.differences.length === 0) return;
    log.warn("this process is configured otherwise than the database's policy, which it follows", {
      differences: this.differences,
    });
  }
}
