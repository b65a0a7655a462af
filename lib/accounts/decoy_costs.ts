/** What the check of a password costs for a name that nobody has. */

import type { Argon2Cost } from "../base/argon2_cost.ts";
import type { Clock } from "../base/clock.ts";
import type { ClientStorage, UserStorage } from "../storage/storage.ts";
import { parsePhc } from "./phc.ts";
import { hashName } from "./tombstone.ts";
import { hashOf } from "./user_state.ts";

export interface DecoyCostsParts {
  storage: UserStorage & ClientStorage;
  /** The cost while there are no users. */
  cost: Argon2Cost;
  clock: Clock;
}

/** Users whose hashes are looked at, spread over all of them. */
const SAMPLE = 64;

/** For how long a look is good, in milliseconds. */
const FRESH = 60_000;

/**
 * Gives each name a cost, always the same while the users' stay what they are, and the costs in the
 * shares in which users have them. After the cost was changed, hashes are upgraded one by one:
 * if all names without a user had today's cost, the others could be told by the time they take.
 */
export class DecoyCosts {
  readonly #parts: DecoyCostsParts;
  /** The dearest first. */
  #sample: readonly Argon2Cost[] = [];
  #sampledAt = -Infinity;

  constructor(parts: DecoyCostsParts) {
    this.#parts = parts;
  }

  /** @throws {DomainError} `storage_unavailable`, or `database_unusable`, as `hashName` does. */
  async costOf(username: string): Promise<Argon2Cost> {
    const sample = await this.#fresh();
    const [high, low] = await hashName(this.#parts.storage, username);
    const place = ((high! << 8) + low!) / 0x10000;
    return sample[Math.floor(place * sample.length)] ?? this.#parts.cost;
  }

  async #fresh(): Promise<readonly Argon2Cost[]> {
    const { storage, clock } = this.#parts;
    if (Math.abs(clock() - this.#sampledAt) < FRESH) return this.#sample; // it may be set back
    const hashes = await storage.samplePasswordHashes(SAMPLE);
    this.#sampledAt = clock();
    this.#sample = hashes.map((passwordHash) => parsePhc(hashOf({ passwordHash }))?.cost)
      .filter((cost) => cost !== undefined)
      .sort(byWork);
    return this.#sample;
  }
}

/** So that names change their cost in one direction only while a new one spreads. */
function byWork(one: Argon2Cost, other: Argon2Cost): number {
  return other.memoryKib * other.passes - one.memoryKib * one.passes ||
    other.passes - one.passes || other.lanes - one.lanes;
}
