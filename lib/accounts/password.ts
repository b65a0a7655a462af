/** Passwords: Argon2id hashes, made and checked off the event loop, never too many at a time. */

import { timingSafeEqual } from "node:crypto";
import { hash, hashRaw, type Options } from "@node-rs/argon2";
import type { Argon2Cost } from "../base/argon2_cost.ts";
import { DomainError } from "../base/errors.ts";
import type { FairQueue } from "./fair_queue.ts";
import { parsePhc } from "./phc.ts";

/** The least and the greatest length of a password that is chosen, in bytes of UTF-8. */
export const PASSWORD_BYTES = { least: 16, most: 1024 } as const;

/** What the check of a password found. */
export interface Verdict {
  /** False when the first of the hashes is none of a password: then none is right. */
  isUsable: boolean;
  /** The hash that the password is of. */
  right: string | undefined;
}

/** What is hashed with where there is no hash: as long as in those that are made here. */
const NO_HASH = { salt: new Uint8Array(16), digest: new Uint8Array(32) };

/** Hashes passwords as PHC strings and checks them. Each call names the client it is done for. */
export class PasswordHasher {
  /** What a new hash costs. */
  readonly cost: Argon2Cost;
  readonly #queue: FairQueue;

  constructor(cost: Argon2Cost, queue: FairQueue) {
    this.cost = cost;
    this.#queue = queue;
  }

  /** @throws {DomainError} `overloaded` when too many hashes wait. */
  hash(password: string, client: string): Promise<string> {
    return this.#queue.run(client, () => hash(password, optionsOf(this.cost)));
  }

  /**
   * A hash with the salt, the cost and the length of `phc`, so that one run of Argon2 checks a
   * password against both; with its own as `hash` gives it when `phc` is no hash.
   *
   * @throws {DomainError} `overloaded` when too many hashes wait.
   */
  hashLike(phc: string, password: string, client: string): Promise<string> {
    const like = parsePhc(phc);
    if (like === undefined) return this.hash(password, client);
    const { cost, salt, digest } = like;
    const options = { ...optionsOf(cost), salt, outputLen: digest.length };
    return this.#queue.run(client, () => hash(password, options));
  }

  /**
   * Which of `hashes` is the one of `password`; they share salt and cost, as `hashLike` makes them.
   * That is one run of Argon2, however many there are and whichever is right. Without any (an
   * unknown user), or when the first is none that this program would make, the work is done that
   * `decoy` says, and the answer is no.
   *
   * @throws {DomainError} `overloaded` when too many hashes wait.
   */
  async verify(
    hashes: readonly string[],
    password: string,
    client: string,
    decoy: Argon2Cost = this.cost,
  ): Promise<Verdict> {
    const [first] = hashes;
    const current = first === undefined ? undefined : parsePhc(first);
    const { cost, salt, digest } = current ?? { cost: decoy, ...NO_HASH };
    const options = { ...optionsOf(cost), salt, outputLen: digest.length };
    const found = await this.#queue.run(client, () => hashRaw(password, options));
    const matching = current === undefined ? [] : hashes.filter((phc) => isDigest(phc, found));
    return {
      isUsable: first === undefined || current !== undefined,
      right: matching[0],
    };
  }

  /** Whether `phc` was made at another cost than today's. */
  isOutdated(phc: string): boolean {
    const { memoryKib, passes, lanes } = this.cost;
    const cost = parsePhc(phc)?.cost;
    return cost?.memoryKib !== memoryKib || cost.passes !== passes || cost.lanes !== lanes;
  }
}

function optionsOf({ memoryKib, passes, lanes }: Argon2Cost): Options {
  return { memoryCost: memoryKib, timeCost: passes, parallelism: lanes };
}

/** Compares in a time that tells nothing of where the first difference is. */
function isDigest(phc: string, found: Uint8Array): boolean {
  const digest = parsePhc(phc)?.digest;
  return digest?.length === found.length && timingSafeEqual(digest, found);
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
