/**
 * What an operator may do to the keys, as pure decisions: each takes the keys and the time (seconds
 * since the epoch) and gives the schedules that change, or refuses with the reason. What follows
 * from them (a successor that takes over, a new next key) is `planRotation`'s.
 */

import { isoTime } from "../base/clock.ts";
import { DomainError } from "../base/errors.ts";
import {
  activeKey,
  expiry,
  keyState,
  planRotation,
  type RotationPolicy,
  type Schedule,
  type ScheduledKey,
  scheduleKey,
  waitingKeys,
} from "./policy.ts";

/** The key that signs after the active one. */
export function nextKey<K extends ScheduledKey>(keys: readonly K[], now: number): K | undefined {
  return waitingKeys(keys, now)[0];
}

/**
 * From when on a key may sign and every cache knows it. A key is published from the moment it was
 * made, which its `id` tells.
 */
export function announcedAt({ id }: ScheduledKey, { prepublish }: RotationPolicy): number {
  return Math.ceil(id / 1000) + prepublish;
}

/** From when on a key signs that is still to be made: only then does another algorithm take effect. */
export function newKeysSignFrom(
  keys: readonly ScheduledKey[],
  now: number,
  policy: RotationPolicy,
): number {
  const { create: [first] } = planRotation(keys, now, { ...policy, expiredTokens: false });
  if (first !== undefined) return first.signFrom;
  const { signFrom, signUntil } = waitingKeys(keys, now).at(-1)!;
  return Math.max(signUntil, signFrom + policy.prepublish); // it is made when that one signs
}

/**
 * The next key signs from now on, the active one only verifies.
 *
 * @throws {DomainError} `conflict` when verifiers may not know the next key yet, unless `force`.
 */
export function rotateNow(
  keys: readonly ScheduledKey[],
  now: number,
  policy: RotationPolicy,
  { force }: { force: boolean },
): ScheduledKey[] {
  const next = nextKey(keys, now);
  if (next === undefined) {
    throw new DomainError("conflict", "There is no next key yet", {
      hints: ["start the server, which makes one, and try again"],
    });
  }
  const safe = announcedAt(next, policy);
  if (now < safe && !force) {
    throw new DomainError(
      "conflict",
      `The next key is not published for long enough: verifiers may not know it before ${
        isoTime(safe)
      }`,
      {
        hints: [
          "wait until then, or use --force and accept that tokens may be refused until caches refresh",
        ],
      },
    );
  }
  const signUntil = now + policy.rotation;
  const exp = Math.max(next.exp, expiry(signUntil, policy));
  const rotated = [{ ...next, signFrom: now, signUntil, exp }];
  const active = activeKey(keys, now);
  return active === undefined ? rotated : [{ ...active, signUntil: now }, ...rotated];
}

/**
 * The key never signs again and is not published any more.
 *
 * @throws {DomainError} `conflict` when no verifier is given it anyway.
 */
export function revoke(key: ScheduledKey, now: number): ScheduledKey[] {
  const state = keyState(key, now);
  if (state === "revoked" || state === "expired") {
    throw new DomainError("conflict", `The key is ${state} already: no verifier is given it`);
  }
  return [{ ...key, revokedAt: now, exp: now }];
}

/** A key from another issuer that only verifies, for `seconds`; its time to sign lies in the past. */
export function passiveSchedule(now: number, seconds: number): Schedule {
  return { signFrom: 0, signUntil: 1, exp: now + seconds };
}

/** A key from another issuer that signs next, as soon as verifiers know it; others move back. */
export function insertNext(
  keys: readonly ScheduledKey[],
  now: number,
  policy: RotationPolicy,
): { schedule: Schedule; moved: ScheduledKey[] } {
  const signFrom = Math.max(activeKey(keys, now)?.signUntil ?? now, now + policy.prepublish);
  const schedule = scheduleKey(signFrom, policy);
  let start = schedule.signUntil;
  const moved = waitingKeys(keys, now).map((key) => {
    const { signUntil, exp } = scheduleKey(start, policy);
    const later = { ...key, signFrom: start, signUntil, exp: Math.max(key.exp, exp) };
    start = signUntil;
    return later;
  });
  return { schedule, moved };
}
