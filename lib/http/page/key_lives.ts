/** The lives of the published keys and of those to come, as the rotation plan has them. */

import type { SigningAlgorithm } from "../../keys/algorithms.ts";
import {
  keyState,
  publishedKeys,
  type RotationPolicy,
  type ScheduledKey,
} from "../../rotation/policy.ts";
import { planTimeline, type TimelineEvent } from "../../rotation/timeline.ts";

/** What may be known of a key: nothing that only its issuer has. */
export interface PublicKey extends ScheduledKey {
  kid: string;
  alg: SigningAlgorithm;
}

/** When a key is what; all times in seconds since the epoch. */
export interface KeyLife {
  /** Of a key that exists. */
  key: PublicKey | undefined;
  publishedAt: number;
  signFrom: number;
  signUntil: number;
  /** When it leaves the published set. */
  leavesAt: number;
}

/** What happens to a key next. */
export interface KeyChange {
  at: number;
  event: "signs" | "retires" | "leaves";
}

/** A published key as a table shows it. */
export interface KeyRow {
  kid: string;
  alg: SigningAlgorithm;
  state: "next" | "active" | "passive";
  publishedAt: number;
  next: KeyChange;
}

/** The published keys with what will happen to them until `end`. */
export interface KeyLives {
  /** In the order in which they sign, those to be made last. */
  lives: readonly KeyLife[];
  rows: readonly KeyRow[];
  /** How many published keys are not among them: the oldest retired ones, then those that sign last. */
  omitted: number;
}

/** The published keys that are shown at most: a long token life leaves thousands to verify with. */
const MOST_SHOWN = 8;

/** And the keys to be made. */
const MOST_UPCOMING = 2;

/**
 * The lives until `end`. Revoked, expired and born-expired keys are no part of it.
 *
 * @param keys all keys, in the order in which they were made.
 */
export function planLives(
  keys: readonly PublicKey[],
  now: number,
  end: number,
  policy: RotationPolicy,
): KeyLives {
  const published = publishedKeys(keys, now);
  const isRetired = (key: PublicKey) => keyState(key, now) === "passive";
  const inUse = published.filter((key) => !isRetired(key)).toSorted(bySigning);
  // Retired keys plan nothing, and are many where tokens live for longer than keys sign.
  const important = [...inUse, ...published.filter(isRetired).toReversed().slice(0, MOST_SHOWN)];
  const { events } = planTimeline(important, now, end, policy);
  const existing = important.slice(0, MOST_SHOWN)
    .toSorted(bySigning)
    .map((key) => lifeOf(key, events, now));
  return {
    lives: [...existing, ...upcomingLives(events, now)],
    rows: existing.map((life) => rowOf(life, now)),
    omitted: published.length - existing.length,
  };
}

function bySigning(one: PublicKey, other: PublicKey): number {
  return one.signFrom - other.signFrom || one.id - other.id;
}

function lifeOf(key: PublicKey, events: readonly TimelineEvent[], now: number): KeyLife {
  const own = events.filter(({ id }) => id === key.id);
  const at = (event: TimelineEvent["event"]) => own.find((one) => one.event === event)?.at;
  return {
    key,
    publishedAt: Math.min(now, Math.floor(key.id / 1000)),
    signFrom: at("signs") ?? key.signFrom,
    signUntil: at("retires") ?? key.signUntil,
    leavesAt: at("leaves") ?? key.exp,
  };
}

function upcomingLives(events: readonly TimelineEvent[], now: number): KeyLife[] {
  const lives: KeyLife[] = [];
  for (let number = 1; number <= MOST_UPCOMING; number++) {
    const own = events.filter(({ upcoming }) => upcoming === number);
    if (own.length === 0) break;
    const at = (event: TimelineEvent["event"]) => own.find((one) => one.event === event)?.at;
    lives.push({
      key: undefined,
      publishedAt: at("published") ?? now,
      signFrom: at("signs") ?? Infinity,
      signUntil: at("retires") ?? Infinity,
      leavesAt: at("leaves") ?? Infinity,
    });
  }
  return lives;
}

function rowOf({ key, publishedAt, ...life }: KeyLife, now: number): KeyRow {
  const { kid, alg } = key!;
  const state = keyState(key!, now) as KeyRow["state"];
  const changes = {
    next: { at: life.signFrom, event: "signs" },
    active: { at: life.signUntil, event: "retires" },
    passive: { at: life.leavesAt, event: "leaves" },
  } as const;
  return { kid, alg, state, publishedAt, next: changes[state] };
}
