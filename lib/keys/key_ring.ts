/**
 * The key ring: which key signs, which are published, and what must be done about it. The storage
 * has the last word: every change is decided on what it holds, prepared outside any transaction,
 * and applied only if it still holds just that.
 */

import type { JWK } from "jose";
import { type Clock, numericDate } from "../base/clock.ts";
import { CommandError, EXIT, RequestError } from "../base/errors.ts";
import { type HeldKey, HeldKeys } from "./held_keys.ts";
import type { KeyEncryption } from "../sealing/key_encryption.ts";
import type { KeyPool } from "./key_pool.ts";
import { KeyWriter } from "./key_writer.ts";
import type { Log } from "../base/log.ts";
import { preparePublishedSet, type PublishedSet } from "./published_set.ts";
import {
  activeKey,
  bornExpiredKey,
  isEmptyPlan,
  planRotation,
  type RotationPolicy,
  type Schedule,
  type ScheduledKey,
} from "../rotation/policy.ts";
import type { PrivateJwk, SigningKey } from "./signing_key.ts";
import type { Storage } from "../storage/storage.ts";

/** What the key ring works with. */
export interface KeyRingParts {
  storage: Storage;
  encryption: KeyEncryption;
  /** Makes new private keys. */
  pool: KeyPool<PrivateJwk>;
  policy: RotationPolicy;
  clock: Clock;
  log: Log;
}

/** A key to sign with now; a token must end by `exp` (seconds since the epoch). */
export interface Signer extends SigningKey {
  exp: number;
}

/** What an operator's decision changes: schedules of held keys, and perhaps a key that joins them. */
export interface KeyDecision {
  change: readonly ScheduledKey[];
  add?: { schedule: Schedule; jwk: JWK };
}

export class KeyRing {
  readonly #parts: KeyRingParts;
  readonly #held: HeldKeys;
  readonly #writer: KeyWriter;
  #published: { of: readonly HeldKey[]; set: PublishedSet } | undefined;
  #maintenance: Promise<void> = Promise.resolve();
  #lastActive: string | undefined;
  #emergencies = 0;

  private constructor(parts: KeyRingParts) {
    this.#parts = parts;
    this.#held = new HeldKeys(parts);
    this.#writer = new KeyWriter({ ...parts, held: this.#held });
  }

  /**
   * Opens every stored key and returns as soon as one can sign, which on a new storage is the first
   * key to be finished; `maintain` makes the others.
   *
   * @throws {KeyUnreadableError} when a stored key is not as it was sealed.
   */
  static async open(parts: KeyRingParts): Promise<KeyRing> {
    const ring = await KeyRing.load(parts);
    while (ring.#active() === undefined && await ring.#step());
    return ring;
  }

  /** Opens every stored key and changes nothing. @throws as `open` does. */
  static async load(parts: KeyRingParts): Promise<KeyRing> {
    const ring = new KeyRing(parts);
    await ring.#held.reload();
    return ring;
  }

  /** How often a key had to start signing that no verifier could know. */
  get emergencies(): number {
    return this.#emergencies;
  }

  /** The opened keys in the order of `kid`. */
  get keys(): readonly HeldKey[] {
    return this.#held.keys;
  }

  /**
   * The one key that signs now. Changes that other processes have made are seen first.
   *
   * @throws {StorageUnavailableError} when the storage cannot be asked.
   */
  async signer(): Promise<Signer> {
    await this.#held.refresh();
    if (this.#active() === undefined) await this.maintain();
    const key = this.#active();
    if (key === undefined) throw new RequestError("overloaded", "No key can sign just now", 1);
    return { ...key.signing, exp: key.exp };
  }

  /** The key whose tokens are expired and whose public half is never published. */
  async expiredSigner(): Promise<Signer> {
    if (!this.#parts.policy.expiredTokens) {
      throw new RequestError("invalid_request", "Expired tokens are switched off");
    }
    await this.#held.refresh();
    if (bornExpiredKey(this.keys, this.#now()) === undefined) await this.maintain();
    const key = bornExpiredKey(this.keys, this.#now());
    if (key === undefined) throw new RequestError("overloaded", "No key can sign just now", 1);
    return { ...key.signing, exp: key.exp };
  }

  /** The JWK set as of now, from memory; `undefined` when no key can be published. */
  published(): PublishedSet | undefined {
    const now = this.#now();
    const known = this.#published;
    if (known?.of === this.keys && known.set.from <= now && now < known.set.until) return known.set;
    const set = preparePublishedSet(this.keys, now);
    this.#published = set && { of: this.keys, set };
    return set;
  }

  /** Brings the keys in line with the policy and the clock. One run at a time; others wait. */
  maintain(): Promise<void> {
    const run = this.#maintenance.then(async () => {
      while (await this.#step());
    });
    this.#maintenance = run.catch(() => {}); // the caller of `run` is told
    return run;
  }

  /**
   * Carries out an operator's decision, together with what follows from it at once: when no key
   * could sign any more, the successor takes over in the same transaction. `decide` may be asked
   * again, when another process was faster, and refuses by throwing.
   */
  async change(decide: (keys: readonly HeldKey[], now: number) => KeyDecision): Promise<void> {
    while (!await this.#tryChange(decide));
    await this.maintain();
  }

  async #tryChange(decide: Parameters<KeyRing["change"]>[0]): Promise<boolean> {
    const { pool, policy } = this.#parts;
    await this.#held.reload();
    if (this.#held.isSuperseded) {
      throw new CommandError(EXIT.failed, "the secret of the database was changed meanwhile");
    }
    const now = this.#now();
    const { change, add } = decide(this.keys, now);
    const added = new Map<number, JWK>();
    let keys = replaceKeys(this.keys, change);
    if (add) keys = [...keys, this.#writer.join(added, add.schedule, add.jwk)];
    const plan = planRotation(keys, now, policy);
    if (plan.isEmergency) {
      const made = pool.take() ?? await this.#waitForKey(plan.create.length);
      if (made === undefined) return false;
      keys = [...keys, this.#writer.join(added, plan.create[0]!, made)];
    }
    keys = replaceKeys(keys, plan.reschedule);
    const isChanged = (key: ScheduledKey) => !this.keys.includes(key as HeldKey);
    const schedules = keys.filter((key) => isChanged(key) && !plan.remove.includes(key.kid));
    const isDone = await this.#writer.commit({ schedules, added, remove: plan.remove });
    if (isDone && plan.isEmergency) this.#reportEmergency();
    return isDone;
  }

  /** One change, or one wait for a key in the making; false when nothing is left to do. */
  async #step(): Promise<boolean> {
    const { pool, policy } = this.#parts;
    await this.#held.reload();
    this.#reportRotation();
    const plan = planRotation(this.keys, this.#now(), policy);
    if (this.#held.isSuperseded || isEmptyPlan(plan)) return false;
    const added = new Map<number, JWK>();
    const schedules = [...plan.reschedule];
    const [urgent] = plan.create;
    const made = urgent && (pool.take() ?? await this.#waitForKey(plan.create.length));
    if (urgent && !made) return true; // time has passed: decide anew
    if (made) schedules.push(this.#writer.join(added, urgent!, made));
    let isDone = false;
    try {
      isDone = await this.#writer.commit({ schedules, added, remove: plan.remove });
    } finally {
      if (made && !isDone) pool.putBack(made);
    }
    if (isDone && plan.isEmergency) this.#reportEmergency();
    return true;
  }

  /** Starts keys in the making and waits for the first; gives none, so that callers decide anew. */
  async #waitForKey(count: number): Promise<undefined> {
    this.#parts.pool.prepare(count);
    await this.#parts.pool.readied();
  }

  #active(): HeldKey | undefined {
    return activeKey(this.keys, this.#now());
  }

  #now(): number {
    return numericDate(this.#parts.clock());
  }

  #reportEmergency(): void {
    this.#emergencies++;
    this.#parts.log.warn(
      "no key could sign, so a new one signs at once: verifiers may refuse its tokens until they " +
        "fetch the JWK set again",
      { emergencies: this.#emergencies },
    );
  }

  #reportRotation(): void {
    const kid = this.#active()?.signing.kid;
    if (kid === this.#lastActive) return;
    if (kid !== undefined) this.#parts.log.info("a key signs from now on", { kid });
    this.#lastActive = kid;
  }
}

function replaceKeys(
  keys: readonly ScheduledKey[],
  changed: readonly ScheduledKey[],
): readonly ScheduledKey[] {
  return keys.map((key) => changed.find(({ kid }) => kid === key.kid) ?? key);
}
