/** The limits of a server: its own, or those that it shares with others. */

import type { Log } from "../base/log.ts";
import type { Limiter } from "../limits/limiter.ts";
import { SlidingWindow } from "../limits/sliding_window.ts";
import type { Sharing } from "../limits/valkey/sharing.ts";
import type { Config } from "./config.ts";
import type { LimitRule } from "./shared_limits.ts";

/**
 * A name may be tried as often as two addresses may send: one address alone never comes to that,
 * whose requests are counted a little earlier than the tries that they lead to.
 */
const NETWORKS_A_NAME = 2;

const now = () => performance.now();

export interface Limits {
  /** Limits the requests of addresses; the same one for each name. */
  requests: (name: string) => Limiter;
  /** Limits the tries at a username. */
  guesses: Limiter;
  /** Whether the limits are shared, where they are to be. */
  sharing: Sharing | undefined;
}

/** @throws {DomainError} `configuration` when `REDIS_CA_FILE` cannot be used. */
export async function openLimits(
  config: Pick<Config, "rateLimit" | "rateWindow" | "sharedLimit">,
  log: Log,
): Promise<Limits> {
  const { make, sharing } = await openMaker(config, log);
  const { rateLimit: limit } = config;
  const window = config.rateWindow * 1000;
  const made = new Map<string, Limiter>();
  const requests = (name: string) => {
    const limiter = made.get(name) ?? make({ name, limit, window, isSaid: false });
    made.set(name, limiter);
    return limiter;
  };
  const guesses = make({ name: "guess", limit: NETWORKS_A_NAME * limit, window, isSaid: true });
  return { requests, guesses, sharing };
}

interface Maker {
  make: (rule: LimitRule) => Limiter;
  sharing: Sharing | undefined;
}

async function openMaker({ sharedLimit }: Pick<Config, "sharedLimit">, log: Log): Promise<Maker> {
  if (sharedLimit === undefined) return { make: makeOwn, sharing: undefined };
  // The client takes tens of megabytes, which those who share nothing need not have.
  const { shareLimits } = await import("./shared_limits.ts");
  return await shareLimits(sharedLimit, makeOwn, log);
}

function makeOwn({ limit, window }: LimitRule): Limiter {
  return new SlidingWindow({ limit, window, now });
}
