/** The accounts of a server, with all that bounds what a password costs it. */

import { Accounts } from "../accounts/accounts.ts";
import { FairQueue } from "../accounts/fair_queue.ts";
import { GuessLimit } from "../accounts/guess_limit.ts";
import { LoginCache } from "../accounts/login_cache.ts";
import { PasswordHasher } from "../accounts/password.ts";
import type { Limiter } from "../limits/limiter.ts";
import type { Config } from "./config.ts";
import type { OpenedDatabase } from "./open.ts";

/** In what time a password that is admitted has to be checked, in milliseconds. */
const HASH_PATIENCE = 1500;

/** Password checks that may wait at the most, however quick they are. */
const HASH_QUEUE = 512;

/** Logins that are remembered, and places from which somebody has logged in. */
const REMEMBERED_LOGINS = 100_000;
const KNOWN_PLACES = 100_000;

const now = () => performance.now();

export interface ServerAccounts {
  accounts: Accounts;
  /** Where passwords wait to be hashed. */
  queue: FairQueue;
  /** Where logins are remembered, if they are. */
  loginCache: LoginCache | undefined;
}

/**
 * @param guesses limits the tries at a name.
 * @param onStart is told how long a password has waited, in milliseconds.
 */
export function createAccounts(
  { argon2, authCacheTtl }: Config,
  database: OpenedDatabase,
  guesses: Limiter,
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
  const accounts = new Accounts({
    ...database,
    hasher: new PasswordHasher(argon2, queue),
    cache: loginCache,
    guesses: new GuessLimit({ window: guesses, capacity: KNOWN_PLACES }),
  });
  return { accounts, queue, loginCache };
}
