/** Passwords: Argon2id hashes, made and checked off the event loop, never too many at a time. */

import { hash, parseOptions, verify } from "@node-rs/argon2";
import pLimit, { type LimitFunction } from "p-limit";
import type { Argon2Cost } from "../sealing/encryption.ts";
import { RequestError } from "../base/errors.ts";

/** How many hashes run and wait. */
export interface HasherLimits {
  /** Hashes that run at the same time; one a core keeps memory and latency flat. */
  concurrency: number;
  /** Hashes that may wait for their turn; one more is refused. */
  queue: number;
}

/** Hashes passwords as PHC strings and checks them. */
export class PasswordHasher {
  readonly #cost: Argon2Cost;
  readonly #limits: HasherLimits;
  readonly #limit: LimitFunction;
  #decoy: Promise<string> | undefined;

  constructor(cost: Argon2Cost, limits: HasherLimits) {
    this.#cost = cost;
    this.#limits = limits;
    this.#limit = pLimit(limits.concurrency);
  }

  /** @throws {RequestError} `overloaded` when too many hashes wait. */
  hash(password: string): Promise<string> {
    const { memoryKib: memoryCost, passes: timeCost, lanes: parallelism } = this.#cost;
    return this.#run(() => hash(password, { memoryCost, timeCost, parallelism }));
  }

  /**
   * Whether `password` is the one of `phc`. Without a `phc` (an unknown user) the same work is done
   * and the answer is no.
   *
   * @throws {RequestError} `overloaded` when too many hashes wait.
   */
  async verify(phc: string | undefined, password: string): Promise<boolean> {
    const known = phc ?? await this.prepare();
    const matches = await this.#run(() => verify(known, password));
    return matches && phc !== undefined;
  }

  /** Whether `phc` was made at another cost than today's. */
  isOutdated(phc: string): boolean {
    const { memoryCost, timeCost, parallelism } = parseOptions(phc);
    const { memoryKib, passes, lanes } = this.#cost;
    return memoryCost !== memoryKib || timeCost !== passes || parallelism !== lanes;
  }

  /** Makes the hash that unknown users are checked against, so that the first one costs no more. */
  prepare(): Promise<string> {
    return this.#decoy ??= this.hash(crypto.randomUUID()).catch((error) => {
      this.#decoy = undefined;
      throw error;
    });
  }

  async #run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#limit.pendingCount >= this.#limits.queue) {
      throw new RequestError("overloaded", "Too many password checks are waiting", 1);
    }
    return await this.#limit(work);
  }
}
