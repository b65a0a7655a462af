/** Changes of the keys: what the policy and the clock ask for, and what an operator decides. */

import type { JWK } from "jose";
import { type Clock, numericDate } from "../base/clock.ts";
import { DomainError } from "../base/errors.ts";
import { errorFields, type Log } from "../base/log.ts";
import {
  isEmptyPlan,
  nextMoment,
  planRotation,
  reschedule,
  type Schedule,
  type ScheduledKey,
} from "../rotation/policy.ts";
import type { KeyStorage } from "../storage/storage.ts";
import type { SigningAlgorithm } from "./algorithms.ts";
import type { HeldKey } from "./held_key.ts";
import type { HeldKeys } from "./held_keys.ts";
import type { KeyPolicy } from "./key_policy.ts";
import type { KeyPool } from "./key_pool.ts";
import { KeyWriter } from "./key_writer.ts";
import type { SharedPolicy } from "./shared_policy.ts";
import type { PrivateJwk } from "./signing_key.ts";

/** What an operator's decision changes: schedules of held keys, rows, and perhaps a new key. */
export interface KeyDecision {
  change?: readonly ScheduledKey[];
  add?: { schedule: Schedule; jwk: JWK };
  /** Numbers of rows that cannot be opened, to delete. */
  remove?: readonly (number | string)[];
}

/** Decides on the held keys at a time in seconds since the epoch, or refuses by throwing. */
export type Decide = (keys: readonly HeldKey[], now: number) => KeyDecision;

export interface KeyChangesParts {
  storage: KeyStorage;
  held: HeldKeys;
  policy: SharedPolicy;
  /** Makes new private keys. */
  pool: KeyPool<SigningAlgorithm, PrivateJwk>;
  clock: Clock;
  log: Log;
}

export class KeyChanges {
  readonly #parts: KeyChangesParts;
  readonly #held: HeldKeys;
  readonly #policy: SharedPolicy;
  readonly #writer: KeyWriter;
  /** What was found in line with the policy, and until when it stays so. */
  #inLine: { keys: readonly HeldKey[]; policy: KeyPolicy; from: number; until: number } | undefined;
  #lastSigner: string | undefined;
  #emergencies = 0;

  constructor(parts: KeyChangesParts) {
    this.#parts = parts;
    this.#held = parts.held;
    this.#policy = parts.policy;
    this.#writer = new KeyWriter(parts);
  }

  /** How often a key had to start signing that no verifier could know. */
  get emergencies(): number {
    return this.#emergencies;
  }

  /** Carries out what `decide` decides, asked as often as another process is faster. */
  async change(decide: Decide): Promise<void> {
    while (!await this.#tryChange(decide));
  }

  async #tryChange(decide: Decide): Promise<boolean> {
    await this.#held.refresh();
    if (this.#held.isSuperseded) {
      throw new DomainError("conflict", "The secret of the database was changed meanwhile", {
        hints: ["try again with the new secret"],
      });
    }
    const now = this.#now();
    const { change = [], add, remove = [] } = decide(this.#held.keys, now);
    const joined = add ? [this.#writer.register(add.schedule, add.jwk)] : [];
    const decided = [
      ...reschedule(this.#held.keys, change),
      ...joined.map(({ schedule }) => schedule),
    ];
    const plan = planRotation(decided, now, this.#policy.value);
    const made = plan.isEmergency ? await this.#finishedKey(plan.create.length) : "never";
    if (made === "later") return false;
    const successor = made === "never"
      ? []
      : [this.#writer.register(plan.create[0]!, made, joined)];
    const after = reschedule(decided, plan.reschedule);
    const held = new Set<ScheduledKey>(this.#held.keys);
    const scheduled = new Map(after.map((key) => [key.id, key]));
    const added = new Set(joined.map(({ schedule }) => schedule.id));
    const isDone = await this.#writer.commit({
      reschedule: after
        .filter((key) => !held.has(key) && !added.has(key.id) && !plan.remove.includes(key.id)),
      add: [
        ...joined.map((key) => ({ ...key, schedule: scheduled.get(key.schedule.id)! })),
        ...successor,
      ],
      remove: [...plan.remove, ...remove],
    });
    if (isDone && successor.length > 0) this.#reportEmergency();
    return isDone;
  }

  /**
   * A new key that is ready; `later` after a wait for one, so that the caller decides anew; `never`
   * when none can be made, which must not keep a leaked key from being revoked.
   */
  async #finishedKey(count: number): Promise<PrivateJwk | "later" | "never"> {
    const { pool, log } = this.#parts;
    const { alg } = this.#policy.value;
    const made = pool.take(alg);
    if (made !== undefined) return made;
    try {
      pool.prepare(alg, count);
      await pool.readied(alg);
      return "later";
    } catch (error) {
      log.error("no key can be made", errorFields(error));
      return "never";
    }
  }

  /** One change, or one wait for a key in the making; false when nothing is left to do. */
  async step(): Promise<boolean> {
    await this.#held.refresh();
    this.#policy.follow();
    this.#reportRotation();
    const now = this.#now();
    if (this.#held.isSuperseded || this.#isInLine(now)) return false;
    const [{ keys }, policy] = [this.#held, this.#policy.value];
    const plan = planRotation(keys, now, policy);
    if (isEmptyPlan(plan)) {
      this.#inLine = { keys, policy, from: now, until: nextMoment(keys, now, policy) };
      return false;
    }
    const { pool } = this.#parts;
    const [urgent] = plan.create;
    const made = urgent && pool.take(policy.alg);
    if (urgent && !made && plan.reschedule.length === 0) {
      pool.prepare(policy.alg, plan.create.length);
      await pool.readied(policy.alg);
      return true; // time has passed: decide anew
    }
    // What needs no new key does not wait for one: the active key could end while it is made.
    const add = made ? [this.#writer.register(urgent!, made)] : [];
    const isDone = await this.#writer.commit({ ...plan, add });
    const isUnannounced = plan.isEmergency ||
      (this.#held.signerAt(this.#now()) === undefined && this.#held.refused.length > 0);
    if (isDone && made && isUnannounced) this.#reportEmergency();
    return true;
  }

  /** Whether nothing has become due since the keys were last found in line with the policy. */
  #isInLine(now: number): boolean {
    const known = this.#inLine;
    return known !== undefined && known.keys === this.#held.keys &&
      known.policy === this.#policy.value &&
      known.from <= now && now < known.until;
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
    const kid = this.#held.signerAt(this.#now())?.kid;
    if (kid === this.#lastSigner) return;
    if (kid !== undefined) this.#parts.log.info("a key signs from now on", { kid });
    this.#lastSigner = kid;
  }
}
