/** Passwords: Argon2id hashes, made and checked off the event loop, never too many at a time. */

import { hash, verify } from "@node-rs/argon2";
import { type Argon2Cost, Argon2CostSchema } from "../base/argon2_cost.ts";
import { DomainError } from "../base/errors.ts";
import type { FairQueue } from "./fair_queue.ts";

/** The least and the greatest length of a password that is chosen, in bytes of UTF-8. */
export const PASSWORD_BYTES = { least: 16, most: 1024 } as const;

/** What the check of a password found; `unusable`: what is stored is not a hash of a password. */
export type Verdict = "right" | "wrong" | "unusable";

/** For whom work is done that nobody waits for. */
const NOBODY = "";

/** Hashes passwords as PHC strings and checks them. Each call names the client it is done for. */
export class PasswordHasher {
  readonly #cost: Argon2Cost;
  readonly #queue: FairQueue;
  #decoy: Promise<string> | undefined;

  constructor(cost: Argon2Cost, queue: FairQueue) {
    this.#cost = cost;
    this.#queue = queue;
  }

  /** @throws {DomainError} `overloaded` when too many hashes wait. */
  hash(password: string, client: string): Promise<string> {
    const { memoryKib: memoryCost, passes: timeCost, lanes: parallelism } = this.#cost;
    return this.#queue.run(client, () => hash(password, { memoryCost, timeCost, parallelism }));
  }

  /**
   * Whether `password` is the one of `phc`. Without a `phc` (an unknown user), or with one that is
   * no hash that this program would make, the same work is done and the answer is no.
   *
   * @throws {DomainError} `overloaded` when too many hashes wait.
   */
  async verify(phc: string | undefined, password: string, client: string): Promise<Verdict> {
    const decoy = await this.prepare();
    const isUsable = phc === undefined || costOf(phc) !== undefined;
    return await this.#queue.run(client, async () => {
      try {
        const matches = await verify(isUsable ? phc ?? decoy : decoy, password);
        if (isUsable) return matches && phc !== undefined ? "right" : "wrong";
      } catch {
        await verify(decoy, password); // it has the form of a hash and is none
      }
      return "unusable";
    });
  }

  /** Whether `phc` was made at another cost than today's. */
  isOutdated(phc: string): boolean {
    const { memoryKib, passes, lanes } = this.#cost;
    const cost = costOf(phc);
    return cost?.memoryKib !== memoryKib || cost.passes !== passes || cost.lanes !== lanes;
  }

  /** Makes the hash that unknown users are checked against, so that the first one costs no more. */
  prepare(): Promise<string> {
    return this.#decoy ??= this.hash(crypto.randomUUID(), NOBODY).catch((error) => {
      this.#decoy = undefined;
      throw error;
    });
  }
}

/** The cost in a PHC string of Argon2id; `undefined` when it is none, or asks for too much. */
function costOf(phc: string): Argon2Cost | undefined {
  const [, memoryKib, passes, lanes] =
    /^\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/
      .exec(phc) ?? [];
  const cost = { memoryKib: Number(memoryKib), passes: Number(passes), lanes: Number(lanes) };
  return Argon2CostSchema.safeParse(cost).data;
}

/**
 * The one rule for a password that somebody chose. A weak one is any that is not empty.
 *
 * @throws {DomainError} `invalid_request` when it has too few or too many bytes.
 */
export function assertPassword(password: string, { allowWeak = false } = {}): void {
  const { length } = new TextEncoder().encode(password);
  const { most } = PASSWORD_BYTES;
  const least = allowWeak ? 1 : PASSWORD_BYTES.least;
  if (length >= least && length <= most) return;
  throw new DomainError(
    "invalid_request",
    `The password has ${length} bytes; allowed are ${least} to ${most}`,
  );
}
