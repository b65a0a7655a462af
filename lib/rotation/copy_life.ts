/**
 * For how long a copy of the published set can stand in for the set itself. The copy has every key
 * that waits; what it lacks are keys that are made later. Those follow the last one that waits now.
 */

import { keyState, type RotationPolicy, type ScheduledKey } from "./policy.ts";

/** Moments in seconds since the epoch. */
export interface CopyLife {
  /** Before this no key signs that the copy lacks, whenever the server runs or does not. */
  completeUntil: number;
  /**
   * By this another copy must be in its place, so that verifiers know each key for the
   * pre-publication time before it signs: that is longer than any cache may keep the set.
   */
  until: number;
}

/**
 * The life of a copy that is made at `now`. It holds under the same policy and as long as nobody
 * else decides on the keys: an operator who rotates, revokes or imports makes another plan.
 */
export function lifeOfCopy(
  keys: readonly ScheduledKey[],
  now: number,
  { rotation, prepublish }: RotationPolicy,
): CopyLife {
  const signing = keys.filter((key) => ["active", "next"].includes(keyState(key, now)));
  // Until the last one has begun no other follows it, and none signs before one of them has ended.
  const lastStart = Math.max(now, ...signing.map(({ signFrom }) => signFrom));
  const ends = signing.map(({ signUntil }) => signUntil).filter((end) => end > lastStart);
  // In a gap before it the last one may have to start early, and then signs for one rotation.
  const before = signing.filter(({ signFrom }) => signFrom < lastStart);
  const gap = Math.max(now, ...before.map(({ signUntil }) => signUntil));
  const early = gap < lastStart ? [gap + rotation] : [];
  const completeUntil = ends.length === 0 ? now : Math.min(...ends, ...early);
  return { completeUntil, until: completeUntil - prepublish };
}
