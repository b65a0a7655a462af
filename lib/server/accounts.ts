/** The accounts of a server, with all that bounds what a password costs it. */

import { Accounts } from "../accounts/accounts.ts";
import { FairQueue } from "../accounts/fair_queue.ts";
import { GuessLimit } from "../accounts/guess_limit.ts";
import { LoginCache } from "../accounts/login_cache.ts";
import { PasswordHasher } from "../accounts/password.ts";
import { SlidingWindow } from "../limits/sliding_window.ts";
import type { Config } from "./config.ts";
import type { OpenedDatabase } from "./open.ts";

/** In what time a password that is admitted has to be checked, in milliseconds. */
const HASH_PATIENCE = 1500;

/** Password checks that may wait at the most, however quick they are. */
const HASH_QUEUE = 512;

/** Logins that are remembered, and places from which somebody has logged in. */
const REMEMBERED_LOGINS = 100_000;
const KNOWN_PLACES = 100_000;

/**
 * A name may be tried as often as two addresses may send: one address alone never comes to that,
 * whose requests are counted a little earlier than the tries that they lead to.
 */
const NETWORKS_A_NAME = 2;

const now = () => performance.now();

export interface ServerAccounts {
  accounts: Accounts;
  /** Where passwords wait to be hashed. */
  queue: FairQueue;
  /** Where logins are remembered, if they are. */
  loginCache: LoginCache | undefined;
}

/** @param onStart is told how long a password has waited, in milliseconds. */
export function createAccounts(
  { argon2, authCacheTtl, rateLimit: limit, rateWindow }: Config,
  database: OpenedDatabase,
  onStart: ((waited: number) => void) | undefined,
): ServerAccounts {
  const queue = new FairQueue({
    concurrency: navigator.hardwareConcurrency,
    patience: HASH_PATIENCE,
    capacity: HASH_QUEUE,
    now,
    onStart,
  });
  const loginCache = authCacheTtl === 0
    ? undefined
    : new LoginCache({ ttl: authCacheTtl * 1000, capacity: REMEMBERED_LOGINS, now });
  const window = new SlidingWindow({
    limit: NETWORKS_A_NAME * limit,
    window: rateWindow * 1000,
    now,
  });
  const accounts = new Accounts({
    ...database,
    hasher: new PasswordHasher(argon2, queue),
    cache: loginCache,
    guesses: new GuessLimit({ window, capacity: KNOWN_PLACES }),
  });
  return { accounts, queue, loginCache };
}
