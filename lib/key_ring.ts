/**
 * The key ring: which key signs, which are published, and what must be done about it. It holds the
 * opened keys; the storage has the last word. Every change is decided on what the storage holds,
 * prepared outside any transaction, and applied only if the storage still holds just that.
 */

import { type Clock, numericDate } from "./clock.ts";
import { KeyUnreadableError, RequestError } from "./errors.ts";
import type { KeyEncryption } from "./key_encryption.ts";
import type { KeyPool } from "./key_pool.ts";
import type { Log } from "./log.ts";
import { preparePublishedSet, type PublishedSet } from "./published_set.ts";
import {
  activeKey,
  bornExpiredKey,
  isEmptyPlan,
  planRotation,
  type RotationPlan,
  type RotationPolicy,
  type Schedule,
  type ScheduledKey,
} from "./rotation_policy.ts";
import {
  importSigningKey,
  type PrivateJwk,
  type PublicJwk,
  type SigningKey,
} from "./signing_key.ts";
import type { KeyRecord, KeySnapshot, Storage } from "./storage.ts";

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

/** An opened key: its schedule, the row it came from, and what it signs with. */
export interface HeldKey extends ScheduledKey {
  record: KeyRecord;
  signing: SigningKey;
  publicJwk: PublicJwk;
}

/** A key to sign with now; a token must end by `exp` (seconds since the epoch). */
export interface Signer extends SigningKey {
  exp: number;
}

export class KeyRing {
  readonly #parts: KeyRingParts;
  #keys: readonly HeldKey[] = [];
  #snapshot: KeySnapshot = { records: [], check: new Uint8Array() };
  #version: number | undefined;
  #reloads = { begun: 0, applied: 0 };
  #published: PublishedSet | undefined;
  #maintenance: Promise<void> = Promise.resolve();
  #lastActive: number | undefined;
  #emergencies = 0;

  private constructor(parts: KeyRingParts) {
    this.#parts = parts;
  }

  /**
   * Opens every stored key and returns as soon as one can sign, which on a new storage is the first
   * key to be finished; `maintain` makes the others.
   *
   * @throws {KeyUnreadableError} when a stored key is not as it was sealed.
   */
  static async open(parts: KeyRingParts): Promise<KeyRing> {
    const ring = new KeyRing(parts);
    await ring.#reload();
    while (ring.#active() === undefined) await ring.#step();
    return ring;
  }

  /** How often a key had to start signing that no verifier could know. */
  get emergencies(): number {
    return this.#emergencies;
  }

  /** The opened keys in the order of `kid`. */
  get keys(): readonly HeldKey[] {
    return this.#keys;
  }

  /**
   * The one key that signs now. Changes that other processes have made are seen first.
   *
   * @throws {StorageUnavailableError} when the storage cannot be asked.
   */
  async signer(): Promise<Signer> {
    if (await this.#parts.storage.version() !== this.#version) await this.#reload();
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
    if (bornExpiredKey(this.#keys) === undefined) await this.maintain();
    const key = bornExpiredKey(this.#keys)!; // `maintain` ends only when there is one
    return { ...key.signing, exp: key.exp };
  }

  /** The JWK set as of now, from memory; `undefined` when no key can be published. */
  published(): PublishedSet | undefined {
    const now = this.#now();
    const set = this.#published;
    if (set !== undefined && set.from <= now && now < set.until) return set;
    return this.#published = preparePublishedSet(this.#keys, now);
  }

  /** Brings the keys in line with the policy and the clock. One run at a time; others wait. */
  maintain(): Promise<void> {
    const run = this.#maintenance.then(async () => {
      while (await this.#step());
    });
    this.#maintenance = run.catch(() => {}); // the caller of `run` is told
    return run;
  }

  /** One change, or one wait for a key in the making; false when nothing is left to do. */
  async #step(): Promise<boolean> {
    const { pool, policy } = this.#parts;
    await this.#reload();
    this.#reportRotation();
    const plan = planRotation(this.#keys, this.#now(), policy);
    if (isEmptyPlan(plan)) return false;
    const made = plan.create.length > 0 ? pool.take() : undefined;
    if (plan.create.length > 0 && made === undefined) {
      pool.prepare(plan.create.length);
      await pool.readied();
      return true; // time has passed: decide anew
    }
    await this.#apply(plan, made);
    return true;
  }

  async #apply(plan: RotationPlan, made: PrivateJwk | undefined): Promise<void> {
    const { storage, pool } = this.#parts;
    const schedules = [...plan.reschedule];
    let applied = false;
    try {
      const put = await Promise.all(schedules.map((schedule) => this.#reseal(schedule)));
      if (made) {
        const schedule = { kid: this.#newKid(), ...plan.create[0]! };
        schedules.push(schedule);
        put.push(await this.#sealNew(schedule, made));
      }
      applied = await storage.changeKeys(this.#snapshot, { put, remove: plan.remove });
    } finally {
      if (made && !applied) pool.putBack(made);
    }
    if (!applied) return; // another process was faster: the next step sees what it did
    this.#report(schedules, plan);
    await this.#reload();
  }

  async #reseal(schedule: ScheduledKey): Promise<KeyRecord> {
    const { encryption } = this.#parts;
    const record = this.#snapshot.records.find(({ kid }) => kid === schedule.kid)!;
    const { jwk } = await encryption.open(record);
    return await encryption.seal(schedule, jwk);
  }

  #sealNew(schedule: ScheduledKey, made: PrivateJwk): Promise<KeyRecord> {
    return this.#parts.encryption.seal(schedule, { ...made, kid: String(schedule.kid) });
  }

  /** The millisecond of now, or the first one after it that no key has. */
  #newKid(): number {
    let kid = this.#parts.clock();
    while (this.#keys.some((key) => key.kid === kid)) kid++;
    return kid;
  }

  /** Reads what the storage holds; rows that did not change are not opened again. */
  async #reload(): Promise<void> {
    const { storage } = this.#parts;
    const turn = ++this.#reloads.begun;
    const version = await storage.version();
    const snapshot = await storage.readKeys();
    const keys = await Promise.all(snapshot.records.map((record) => this.#hold(record)));
    if (turn < this.#reloads.applied) return; // a later reading is already in place
    this.#reloads.applied = turn;
    this.#snapshot = snapshot;
    this.#version = version;
    const isSame = keys.length === this.#keys.length &&
      keys.every((key, i) => key === this.#keys[i]);
    if (isSame) return;
    this.#keys = keys;
    this.#published = undefined;
  }

  async #hold(record: KeyRecord): Promise<HeldKey> {
    const known = this.#keys.find((key) => key.kid === record.kid);
    if (known && known.exp === record.exp && isSameBytes(known.record.key, record.key)) {
      return known;
    }
    const { schedule, jwk } = await this.#parts.encryption.open(record);
    try {
      const signing = await importSigningKey(jwk);
      return { ...schedule, record, signing, publicJwk: signing.publicJwk };
    } catch (error) {
      throw new KeyUnreadableError(record.kid, "it holds no usable key", { cause: error });
    }
  }

  #active(): HeldKey | undefined {
    return activeKey(this.#keys, this.#now());
  }

  #now(): number {
    return numericDate(this.#parts.clock());
  }

  #report(schedules: readonly ScheduledKey[], plan: RotationPlan): void {
    const { log } = this.#parts;
    for (const schedule of schedules) {
      log.info("a key was scheduled", { kid: String(schedule.kid), ...isoTimes(schedule) });
    }
    for (const kid of plan.remove) log.info("an expired key was deleted", { kid: String(kid) });
    if (!plan.isEmergency) return;
    this.#emergencies++;
    log.warn(
      "no key could sign, so a new one signs at once: verifiers may refuse its tokens until they " +
        "fetch the JWK set again",
      { emergencies: this.#emergencies },
    );
  }

  #reportRotation(): void {
    const kid = this.#active()?.kid;
    if (kid === this.#lastActive) return;
    if (kid !== undefined) this.#parts.log.info("a key signs from now on", { kid: String(kid) });
    this.#lastActive = kid;
  }
}

function isoTimes({ signFrom, signUntil, exp }: Schedule): Record<string, string> {
  const text = (seconds: number) => new Date(seconds * 1000).toISOString();
  return { sign_from: text(signFrom), sign_until: text(signUntil), exp: text(exp) };
}

function isSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
