/** What will happen to the keys, by letting the rotation policy run ahead of the clock. */

import {
  isBornExpired,
  keyState,
  planRotation,
  type RotationPolicy,
  type ScheduledKey,
} from "./policy.ts";

/** Something that happens to a key, at a time in seconds since the epoch. */
export interface TimelineEvent {
  at: number;
  event: "published" | "signs" | "retires" | "leaves" | "deleted";
  /** The row's number of a key that exists, or `undefined` for one that will be made. */
  kid: number | undefined;
  /** Which of the keys to be made, counted from 1. */
  upcoming: number | undefined;
}

/** The events after `now` and until `until`, in the order of time. */
export function planTimeline(
  keys: readonly ScheduledKey[],
  now: number,
  until: number,
  policy: RotationPolicy,
): TimelineEvent[] {
  const upcoming = new Map<number, number>();
  const ended: ScheduledKey[] = [];
  let living: readonly ScheduledKey[] = keys.filter((key) => !isBornExpired(key));
  for (let time: number | undefined = now; time !== undefined && time <= until;) {
    const at: number = time;
    const plan = planRotation(living, at, { ...policy, expiredTokens: false });
    const created = plan.create.map((schedule, index) => ({ ...schedule, kid: at * 1000 + index }));
    for (const { kid } of created) upcoming.set(kid, upcoming.size + 1);
    const all = [
      ...living.map((key) => plan.reschedule.find(({ kid }) => kid === key.kid) ?? key),
      ...created,
    ];
    ended.push(...all.filter((key) => key.exp <= at));
    living = all.filter((key) => key.exp > at);
    time = nextMoment(living, at);
  }
  return [...ended, ...living].flatMap((key) => eventsOf(key, policy, upcoming, now))
    .filter(({ at }) => now < at && at <= until)
    .toSorted((one, other) => one.at - other.at);
}

function nextMoment(keys: readonly ScheduledKey[], after: number): number | undefined {
  const moments = keys.flatMap(({ signFrom, signUntil, exp }) => [signFrom, signUntil, exp])
    .filter((moment) => moment > after);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

function eventsOf(
  key: ScheduledKey,
  policy: RotationPolicy,
  upcoming: ReadonlyMap<number, number>,
  now: number,
): TimelineEvent[] {
  const place = upcoming.get(key.kid);
  const name = { kid: place === undefined ? key.kid : undefined, upcoming: place };
  const event = (at: number, event: TimelineEvent["event"]) => ({ at, event, ...name });
  const deleted = event(key.exp + policy.retention, "deleted");
  if (["revoked", "expired"].includes(keyState(key, now))) return [deleted];
  return [
    ...(place === undefined ? [] : [event(Math.floor(key.kid / 1000), "published")]),
    event(key.signFrom, "signs"),
    event(key.signUntil, "retires"),
    event(key.exp, "leaves"),
    deleted,
  ];
}
