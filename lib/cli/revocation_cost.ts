/** What revoking the active key would break. */

import { type Clock, isoTime, numericDate } from "../base/clock.ts";
import { isDomainError } from "../base/errors.ts";
import type { KeyRing } from "../keys/key_ring.ts";
import { announcedAt } from "../rotation/operations.ts";
import { activeKey, type RotationPolicy, type ScheduledKey } from "../rotation/policy.ts";
import type { AuthenticationStorage } from "../storage/storage.ts";
import { formatTime } from "./output.ts";

export interface RevocationCost {
  /** The active key. */
  kid: string;
  /** Tokens that it may have signed and that have not ended, expired ones on request included. */
  tokens: number | null;
  /** When the last of them ends. */
  until: string | null;
  /** What is wrong with the log that they are counted in, so that they may be more. */
  problem: string | null;
}

/** Counts in the authentication log; `null` when no key is active. Whatever is wrong there is told. */
export async function revocationCost(
  { storage, clock }: { storage: AuthenticationStorage; clock: Clock },
  { keys, policy: { tokenTtl } }: KeyRing,
): Promise<RevocationCost | null> {
  const now = numericDate(clock());
  const active = activeKey(keys, now);
  if (active === undefined) return null;
  const { kid } = active;
  const since = Math.max(active.signFrom, now - tokenTtl, 0);
  try {
    const { count, newest, odd } = await storage.countAuthentications(since * 1000);
    const until = newest === null ? null : isoTime(numericDate(newest) + tokenTtl);
    const problem = odd === null ? null : `row ${odd} of auth_logs has a timestamp that is no time`;
    return { kid, tokens: count, until, problem };
  } catch (error) {
    if (!isDomainError(error, "storage_unavailable")) throw error;
    return {
      kid,
      tokens: null,
      until: null,
      problem: `auth_logs cannot be read: ${error.message}`,
    };
  }
}

/** The cost in sentences. */
export function describeCost(cost: RevocationCost | null): string[] {
  if (cost === null) return ["No key signs now"];
  const { kid, tokens, until, problem } = cost;
  const caution = problem === null ? [] : [`The tokens of key ${kid} may be more: ${problem}`];
  if (tokens === null) return [`The tokens of key ${kid} cannot be counted: ${problem}`];
  if (tokens === 0) return [`No token of key ${kid} is valid any more`, ...caution];
  const counted = tokens === 1 ? "1 token" : `${tokens} tokens`;
  const end = until === null
    ? ""
    : ` that would be valid until ${formatTime(Date.parse(until) / 1000)}`;
  return [`Revoking key ${kid} makes at most ${counted} unverifiable${end}`, ...caution];
}

/** Whether a key began to sign before every verifier could know it. */
export function isUnannounced(key: ScheduledKey, policy: RotationPolicy): boolean {
  return key.signFrom < announcedAt(key, policy);
}
