/** What will happen to the keys, by letting the rotation policy run ahead of the clock. */

import {
  isBornExpired,
  keyState,
  nextMoment,
  planRotation,
  reschedule,
  type RotationPolicy,
  type ScheduledKey,
} from "./policy.ts";

/** Something that happens to a key, at a time in seconds since the epoch. */
export interface TimelineEvent {
  at: number;
  event: "published" | "signs" | "retires" | "leaves" | "deleted";
  /** The row's number of a key that exists, or `undefined` for one that will be made. */
  id: number | undefined;
  /** Which of the keys to be made, counted from 1. */
  upcoming: number | undefined;
}

export interface Timeline {
  /** In the order of time. */
  events: readonly TimelineEvent[];
  /** Where it ends, because further on there are too many keys; `undefined` when it is whole. */
  cutAt: number | undefined;
}

/** The keys to be made that a timeline shows at most: a century of short rotations has millions. */
const MOST_UPCOMING = 1000;

/** The events after `now` and until `until`. */
export function planTimeline(
  keys: readonly ScheduledKey[],
  now: number,
  until: number,
  policy: RotationPolicy,
): Timeline {
  const lasting = { ...policy, expiredTokens: false };
  const upcoming = new Map<number, number>();
  const ended: ScheduledKey[] = [];
  let living: readonly ScheduledKey[] = keys.filter((key) => !isBornExpired(key));
  let at = now;
  while (at <= until && upcoming.size <= MOST_UPCOMING) {
    const plan = planRotation(living, at, lasting);
    const created = plan.create.map((schedule, index) => ({ ...schedule, id: at * 1000 + index }));
    for (const { id } of created) upcoming.set(id, upcoming.size + 1);
    const all = [...reschedule(living, plan.reschedule), ...created];
    ended.push(...all.filter((key) => key.exp <= at));
    living = all.filter((key) => key.exp > at);
    at = nextMoment(living, at, lasting);
  }
  const cutAt = at <= until ? at : undefined;
  const events = [...ended, ...living].flatMap((key) => eventsOf(key, policy, upcoming, now))
    .filter((event) => now < event.at && event.at <= until && event.at < (cutAt ?? Infinity))
    .toSorted((one, other) => one.at - other.at);
  return { events, cutAt };
}

function eventsOf(
  key: ScheduledKey,
  policy: RotationPolicy,
  upcoming: ReadonlyMap<number, number>,
  now: number,
): TimelineEvent[] {
  const place = upcoming.get(key.id);
  const name = { id: place === undefined ? key.id : undefined, upcoming: place };
  const event = (at: number, event: TimelineEvent["event"]) => ({ at, event, ...name });
  const deleted = event(key.exp + policy.retention, "deleted");
  if (["revoked", "expired"].includes(keyState(key, now))) return [deleted];
  return [
    ...(place === undefined ? [] : [event(Math.floor(key.id / 1000), "published")]),
    event(key.signFrom, "signs"),
    event(key.signUntil, "retires"),
    event(key.exp, "leaves"),
    deleted,
  ];
}
