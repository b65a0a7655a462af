/**
 * A world in which keys live for years: a server that is up or down, tokens in circulation, and a
 * clock. Each step checks the invariants of the key lifecycle.
 */

import assert from "node:assert/strict";
import { isDomainError } from "../../lib/base/errors.ts";
import {
  insertNext,
  nextKey,
  passiveSchedule,
  revoke,
  rotateNow,
} from "../../lib/rotation/operations.ts";
import {
  activeKey,
  CLOCK_SKEW,
  isEmptyPlan,
  keyState,
  planRotation,
  PUBLICATION_DELAY,
  publishedKeys,
  reschedule,
  type RotationPolicy,
  type ScheduledKey,
} from "../../lib/rotation/policy.ts";
import type { Event } from "./happenings.ts";

export class World {
  keys: ScheduledKey[] = [];
  /** For each key, when the last of its tokens ends. */
  readonly tokens = new Map<number, number>();
  emergencies = 0;
  now = 1_800_000_000;
  readonly #madeAt = new Map<number, number>();
  /** Keys that verifiers could not have known in advance: the first one, and any in an emergency. */
  readonly #unannounced = new Set<number>();
  readonly #revoked = new Set<number>();
  #isClockTrue = true;

  constructor(public policy: RotationPolicy) {
    this.maintain();
  }

  happen(event: Event): void {
    if (event.kind === "reconfigure") this.policy = event.policy;
    else if (event.kind === "rotate") this.#rotate(event.force);
    else if (event.kind === "revoke") this.#revoke(event.place);
    else if (event.kind === "import") this.#import(event.as);
    else {
      const seconds = Math.floor(event.rotations * this.policy.rotation);
      if (event.kind === "run") this.#run(seconds);
      else if (event.kind === "outage") this.now += seconds;
      else this.#setBack(seconds);
    }
    this.maintain();
    this.issue();
  }

  /** What the key ring does: one change at a time, decided anew each time. */
  maintain(): void {
    for (let steps = 0;; steps++) {
      assert.ok(steps < 10, "the plan is never done");
      const plan = planRotation(this.keys, this.now, this.policy);
      if (isEmptyPlan(plan)) break;
      const active = activeKey(this.keys, this.now);
      assert.ok(!plan.remove.includes(active?.id ?? NaN), "the active key is deleted");
      this.#replace(plan.reschedule);
      for (const id of plan.remove) this.#remove(id);
      if (plan.isEmergency) this.emergencies++;
      const [schedule] = plan.create;
      if (schedule !== undefined) this.#make({ ...schedule, id: this.#newId() });
    }
    this.#check();
  }

  /** Signs a token now, as the token issuer does. */
  issue(): void {
    const key = activeKey(this.keys, this.now)!;
    const exp = Math.min(this.now + this.policy.tokenTtl, key.exp - CLOCK_SKEW);
    assert.ok(exp > this.now, "a token is expired when it is issued");
    this.tokens.set(key.id, Math.max(exp, this.tokens.get(key.id) ?? 0));
    if (!this.#isClockTrue || this.#unannounced.has(key.id)) return;
    const known = this.now - this.#madeAt.get(key.id)!;
    assert.ok(
      known >= PUBLICATION_DELAY.cache + PUBLICATION_DELAY.poll,
      `a key signs ${known} s after verifiers could first learn it`,
    );
  }

  #setBack(seconds: number): void {
    this.now -= seconds;
    this.#isClockTrue = false;
  }

  /** Lets the server run: it wakes up shortly after each moment at which something changes. */
  #run(length: number): void {
    const end = this.now + length;
    while (this.now < end) {
      const moments = this.keys.flatMap(({ signFrom, signUntil, exp }) => [
        signFrom,
        signUntil - 1,
        signUntil,
        exp - 1,
        exp,
        exp + this.policy.retention,
      ]);
      const next = moments.filter((moment) => moment > this.now);
      this.now = Math.min(end, ...next);
      this.issueOnDemand();
      this.now += this.now % PUBLICATION_DELAY.poll; // any delay up to one poll
      this.maintain();
      this.issue();
    }
  }

  /** A token asked for between two polls. */
  issueOnDemand(): void {
    if (activeKey(this.keys, this.now) === undefined) this.maintain();
    this.issue();
  }

  #rotate(force: boolean): void {
    const next = nextKey(this.keys, this.now)!;
    try {
      this.#replace(rotateNow(this.keys, this.now, this.policy, { force }));
    } catch (error) {
      assert.ok(isDomainError(error, "conflict") && !force, "only a safe rotation may be refused");
      return;
    }
    if (force) this.#unannounced.add(next.id);
  }

  #revoke(place: number): void {
    const published = publishedKeys(this.keys, this.now);
    const key = published[place % published.length]!;
    this.#replace(revoke(key, this.now));
    this.#revoked.add(key.id);
    this.tokens.delete(key.id);
    const heir = nextKey(this.keys, this.now); // takes over, known to verifiers or not
    if (heir !== undefined) this.#unannounced.add(heir.id);
  }

  #import(as: "passive" | "next"): void {
    const id = this.#newId();
    if (as === "passive") {
      return this.#make({ id, ...passiveSchedule(this.now, this.policy.rotation) });
    }
    const { schedule, moved } = insertNext(this.keys, this.now, this.policy);
    this.#replace(moved);
    this.#make({ id, ...schedule });
  }

  #check(): void {
    const active = this.keys.filter((key) => keyState(key, this.now) === "active");
    assert.equal(active.length, 1, "exactly one key signs");
    const published = new Set(publishedKeys(this.keys, this.now).map(({ id }) => id));
    for (const [id, exp] of this.tokens) {
      assert.ok(this.now >= exp || published.has(id), "a token outlives its key");
    }
    for (const id of this.#revoked) assert.ok(!published.has(id), "a revoked key is published");
    assert.ok(!this.#revoked.has(active[0]!.id), "a revoked key signs");
    const next = this.keys.filter((key) => keyState(key, this.now) === "next");
    assert.ok(next.length >= 1, "a next key is published");
  }

  #make(key: ScheduledKey): void {
    if (key.signFrom === this.now) this.#unannounced.add(key.id);
    this.#madeAt.set(key.id, this.now);
    this.keys = [...this.keys, key].toSorted((one, other) => one.id - other.id);
  }

  #newId(): number {
    let id = this.now * 1000;
    while (this.#madeAt.has(id)) id++;
    return id;
  }

  #remove(id: number): void {
    assert.ok(this.now >= (this.tokens.get(id) ?? 0), "a key is deleted before its tokens end");
    this.tokens.delete(id); // should the clock be set back, they are lost for good
    this.keys = this.keys.filter((key) => key.id !== id);
  }

  #replace(changed: readonly ScheduledKey[]): void {
    this.keys = reschedule(this.keys, changed);
  }
}
