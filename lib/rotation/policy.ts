/**
 * Keys through time, as pure functions of the keys' schedules and the clock: this room knows no
 * storage, no cryptography and no clock of its own, and imports `lib/base` alone. All times are
 * whole seconds since the epoch, all lengths whole seconds.
 *
 *     made        signFrom            signUntil        exp            exp + retention
 *      │   NEXT      │      ACTIVE       │   PASSIVE    │    EXPIRED      │
 *      ├─────────────┼───────────────────┼──────────────┼─────────────────┤ deleted
 *      └─────────────────── published ──────────────────┘
 *
 * A revoked key and a born-expired one are none of these, whatever the clock says.
 */

/**
 * Seconds for which verifiers and other processes may not know a change of the published set: how
 * long it is fresh in a cache, for how long a cache may answer with it while it asks for a new one
 * (RFC 5861 §3), and how often other processes look.
 */
export const PUBLICATION_DELAY = { cache: 300, revalidation: 60, poll: 60 } as const;

/** How many seconds a verifier's clock may be off: how much longer than its tokens a key is published. */
export const CLOCK_SKEW = 300;

/** When a key signs and until when it is published. */
export interface Schedule {
  signFrom: number;
  signUntil: number;
  exp: number;
  /** When the key was revoked; `exp` is then the same. */
  revokedAt?: number | undefined;
}

/** A key's schedule under its row's number, the millisecond at which the key was made. */
export interface ScheduledKey extends Schedule {
  id: number;
}

/** The lengths that schedules are made from. */
export interface RotationPolicy {
  /** For how long a key signs. */
  rotation: number;
  /** For how long at least a key is published before it signs. */
  prepublish: number;
  /** The life of a token. */
  tokenTtl: number;
  /** How far a verifier's clock may be off. */
  clockSkew: number;
  /** For how long an expired key is kept. */
  retention: number;
  /** Whether there is a born-expired key, for tokens that are expired on request. */
  expiredTokens: boolean;
}

export type KeyState = "next" | "active" | "passive" | "expired" | "revoked" | "born expired";

/** What to change so that the keys follow the policy. */
export interface RotationPlan {
  /** Keys whose schedule changes. */
  reschedule: readonly ScheduledKey[];
  /** Keys to delete. */
  remove: readonly number[];
  /** Keys to make, the most urgent first. */
  create: readonly Schedule[];
  /** No key can sign although keys exist: verifiers could not learn the new one beforehand. */
  isEmergency: boolean;
}

/** How long before it is made a born-expired key expired: more than any verifier's tolerance. */
const BORN_EXPIRED_AGE = 3600;

/** How long a born-expired key must have been expired to be used. */
const SURELY_EXPIRED = 600;

/** The state of a key at `now`. */
export function keyState(key: Schedule, now: number): KeyState {
  const { signFrom, signUntil, exp, revokedAt } = key;
  if (revokedAt !== undefined) return "revoked";
  if (isBornExpired(key)) return "born expired";
  if (exp <= now) return "expired";
  if (signUntil <= now) return "passive";
  return signFrom <= now ? "active" : "next";
}

/** Whether a key was made to sign tokens that are expired: it never had a time to sign others. */
export function isBornExpired({ signFrom, exp, revokedAt }: Schedule): boolean {
  return signFrom === exp && revokedAt === undefined;
}

/** The key that signs at `now`, if there is one. */
export function activeKey<K extends ScheduledKey>(keys: readonly K[], now: number): K | undefined {
  return keys.findLast((key) => keyState(key, now) === "active");
}

/** The keys that will sign, the first one first. */
export function waitingKeys<K extends ScheduledKey>(keys: readonly K[], now: number): K[] {
  return keys.filter((key) => keyState(key, now) === "next")
    .toSorted((one, other) => one.signFrom - other.signFrom);
}

/** The newest born-expired key that surely is expired: with a clock set back, one may not be yet. */
export function bornExpiredKey<K extends ScheduledKey>(
  keys: readonly K[],
  now: number,
): K | undefined {
  return keys.findLast((key) => isBornExpired(key) && key.exp + SURELY_EXPIRED <= now);
}

/** The keys that belong into the published set at `now`. */
export function publishedKeys<K extends ScheduledKey>(keys: readonly K[], now: number): K[] {
  return keys.filter((key) => ["next", "active", "passive"].includes(keyState(key, now)));
}

/**
 * What must change at `now`. The rules, in this order:
 *
 * 1. Some key signs. When none does, the key that would be the next to sign starts at once, since
 *    verifiers know it; only when there is none, a new one does.
 * 2. Another key follows, and is published for the pre-publication time before it signs. When it
 *    comes late (nobody was there to make it), the active key signs for longer instead.
 * 3. There is no gap and no overlap: the active key signs until the next one does.
 * 4. `exp` is never brought forward, so no token outlives its key, whatever the clock does.
 *
 * @param keys all stored keys, in the order of `kid`.
 */
export function planRotation(
  keys: readonly ScheduledKey[],
  now: number,
  policy: RotationPolicy,
): RotationPlan {
  const lasting = keys.filter((key) => !isBornExpired(key));
  const waiting = waitingKeys(keys, now);
  const signing = activeKey(lasting, now);
  const active = signing ?? promote(waiting.shift(), now, policy);
  const create: Schedule[] = [];
  const reschedule: ScheduledKey[] = [];

  const current = active ?? scheduleKey(now, policy);
  if (active === undefined) create.push(current);
  const signUntil = waiting[0]?.signFrom ?? Math.max(current.signUntil, now + policy.prepublish);
  if (waiting.length === 0) create.push(scheduleKey(signUntil, policy));
  if (active !== undefined && (active !== signing || active.signUntil !== signUntil)) {
    reschedule.push({ ...active, signUntil, exp: Math.max(active.exp, expiry(signUntil, policy)) });
  }
  if (policy.expiredTokens && bornExpiredKey(keys, now) === undefined) {
    create.push(scheduleExpired(now));
  }

  return {
    reschedule,
    create,
    remove: removable(keys, now, policy),
    isEmergency: active === undefined && lasting.length > 0,
  };
}

/** Whether a plan changes nothing. */
export function isEmptyPlan({ reschedule, remove, create }: RotationPlan): boolean {
  return reschedule.length + remove.length + create.length === 0;
}

/**
 * The first moment after `now` at which `planRotation` may have something to do, if the keys stay
 * as they are: until then they need not be looked at again.
 */
export function nextMoment(
  keys: readonly ScheduledKey[],
  now: number,
  { retention }: RotationPolicy,
): number {
  let next = Infinity;
  for (const key of keys) {
    const { signFrom, signUntil, exp } = key;
    const used = isBornExpired(key) ? exp + SURELY_EXPIRED : exp;
    for (const moment of [signFrom, signUntil, exp, used, exp + retention]) {
      if (now < moment && moment < next) next = moment;
    }
  }
  return next;
}

/** `keys` with the schedules in `changed` in the place of their own. */
export function reschedule<K extends ScheduledKey>(
  keys: readonly K[],
  changed: readonly ScheduledKey[],
): (K | ScheduledKey)[] {
  const byId = new Map(changed.map((key) => [key.id, key]));
  return keys.map((key) => byId.get(key.id) ?? key);
}

/** The schedule of a key that starts to sign at `signFrom`. */
export function scheduleKey(signFrom: number, policy: RotationPolicy): Schedule {
  const signUntil = signFrom + policy.rotation;
  return { signFrom, signUntil, exp: expiry(signUntil, policy) };
}

/** When the last token of a key that signs until `signUntil` is surely over. */
export function expiry(signUntil: number, { tokenTtl, clockSkew }: RotationPolicy): number {
  return signUntil + tokenTtl + clockSkew;
}

function scheduleExpired(now: number): Schedule {
  const exp = now - BORN_EXPIRED_AGE;
  return { signFrom: exp, signUntil: exp, exp };
}

/** A key that starts early signs for one rotation, not for all the time until its planned end. */
function promote(
  key: ScheduledKey | undefined,
  now: number,
  { rotation }: RotationPolicy,
): ScheduledKey | undefined {
  return key && { ...key, signFrom: now, signUntil: Math.min(key.signUntil, now + rotation) };
}

function removable(keys: readonly ScheduledKey[], now: number, policy: RotationPolicy): number[] {
  const kept = policy.expiredTokens ? bornExpiredKey(keys, now) : undefined;
  return keys
    .filter((key) => key !== kept && key.exp + policy.retention <= now)
    .map((key) => key.id);
}
