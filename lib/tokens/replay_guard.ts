/** What may be used once (RFC 7523 §3 and RFC 9449 §4.3, `jti`), remembered for as long as it could be used again. */

import { createHash } from "node:crypto";
import { type Clock, numericDate } from "../base/clock.ts";
import { DomainError } from "../base/errors.ts";
import type { UseRegistry } from "../storage/storage.ts";

export interface ReplayGuardOptions {
  /** How many are remembered at most. */
  capacity: number;
  clock: Clock;
  /** Where other servers remember what they have seen, if there are any. */
  shared?: UseRegistry | undefined;
}

/**
 * Remembers identifiers, each until a time of its own, in the memory of this process and, where
 * several servers share it, in their storage. It holds at most `capacity` of them in memory and never
 * forgets one that is not over.
 */
export class ReplayGuard {
  readonly #capacity: number;
  readonly #clock: Clock;
  readonly #shared: UseRegistry | undefined;
  /** The digests of what was used and is not over. */
  readonly #live = new Set<string>();
  /** The same, by the second at which they are over. */
  readonly #ending = new Map<number, string[]>();
  /** When those that are over were last dropped, in seconds. */
  #swept = -Infinity;

  constructor({ capacity, clock, shared }: ReplayGuardOptions) {
    this.#capacity = capacity;
    this.#clock = clock;
    this.#shared = shared;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#live.size;
  }

  /**
   * Uses `id`, and remembers it for as long as the time is before `until`, in seconds since the
   * epoch. Gives false when it was used before and that is not over, and when `until` has passed:
   * whether it was used before is not known then.
   *
   * @throws {DomainError} `overloaded` when there is no room; it was not used then.
   * `storage_unavailable` when other servers cannot be asked; it counts as used then, since they may
   * know by now.
   */
  async use(id: string, until: number): Promise<boolean> {
    const now = numericDate(this.#clock());
    this.#dropOver(now);
    const hash = createHash("sha256").update(id).digest();
    const digest = hash.toString("base64url");
    if (this.#live.has(digest) || until <= now) return false;
    if (this.#live.size >= this.#capacity) throw full();
    this.#remember(digest, Math.ceil(until)); // before anything is waited for
    return await this.#shared?.use(new Uint8Array(hash), until) ?? true;
  }

  #remember(digest: string, end: number): void {
    this.#live.add(digest);
    const ending = this.#ending.get(end);
    if (ending === undefined) this.#ending.set(end, [digest]);
    else ending.push(digest);
  }

  /** At most once a second: it looks at every second at which something ends. */
  #dropOver(now: number): void {
    if (now === this.#swept) return;
    this.#swept = now;
    for (const [end, digests] of this.#ending) {
      if (end > now) continue;
      for (const digest of digests) this.#live.delete(digest);
      this.#ending.delete(end);
    }
  }
}

function full(): DomainError {
  return new DomainError("overloaded", "Too many single-use tokens are in use just now", {
    retryAfter: 1,
  });
}
