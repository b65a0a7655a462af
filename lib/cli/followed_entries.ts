/** Entries of the authentication log as they come. */

import type { MonotonicClock } from "../base/clock.ts";
import type { AuthenticationEntry, RowId } from "../storage/storage.ts";
import type { Pages } from "./listing.ts";

/**
 * For how long an entry may be followed by one with a lesser id, in milliseconds: several servers
 * write at once, and no statement of theirs takes longer than half of it.
 */
const UNSETTLED_TIME = 4000;

/** How many of the last entries are read again at the most. */
const MOST_UNSETTLED = 1000;

export interface FollowParts {
  /** The entries after an id, up to the last there is. */
  read: (afterId: RowId) => Pages<AuthenticationEntry>;
  /** Waits for a while between one look and the next. */
  wait: () => Promise<void>;
  now: MonotonicClock;
}

/** Every entry after `start` once, without an end; one that was written late comes late. */
export async function* followedEntries(
  start: RowId,
  { read, wait, now }: FollowParts,
): Pages<AuthenticationEntry> {
  let settled = start;
  /** When each of the entries after that was seen first, in the order of their ids. */
  let seen = new Map<RowId, number>();
  for (;;) {
    const found = new Map<RowId, number>();
    for await (const entries of read(settled)) {
      yield entries.filter(({ id }) => !seen.has(id));
      for (const { id } of entries) found.set(id, seen.get(id) ?? now());
      settled = settle(found, now()) ?? settled;
    }
    seen = found;
    await wait();
  }
}

/** Forgets the first entries, as far as none can come before them; gives the last of those. */
function settle(found: Map<RowId, number>, now: number): RowId | undefined {
  let last: RowId | undefined;
  for (const [id, seenAt] of found) {
    if (found.size <= MOST_UNSETTLED && now - seenAt < UNSETTLED_TIME) break;
    found.delete(id);
    last = id;
  }
  return last;
}
