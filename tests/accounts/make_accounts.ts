/** Accounts over a database in memory, and a look at what they leave behind. */

import assert from "node:assert/strict";
import { Accounts } from "../../lib/accounts/accounts.ts";
import { FairQueue } from "../../lib/accounts/fair_queue.ts";
import { PasswordHasher } from "../../lib/accounts/password.ts";
import type { Argon2Cost } from "../../lib/base/argon2_cost.ts";
import { DomainError } from "../../lib/base/errors.ts";
import type { UserRecord } from "../../lib/storage/storage.ts";
import { SqliteStorage } from "../../lib/storage/sqlite/sqlite_storage.ts";
import {
  CHEAP,
  cheapHasher,
  failureOf,
  FakeClock,
  openDatabase,
  recordingLog,
} from "../support.ts";

export const ALICE = { username: "alice", email: "alice@example.com" };

/** A row of `auth_logs`, without its number. */
export interface LogRow {
  request_ip: string;
  request_timestamp: string;
  user_id: number | null;
}

export function makeAccounts(hasher: PasswordHasher = cheapHasher()) {
  const database = openDatabase();
  const storage = new SqliteStorage(database);
  const time = new FakeClock();
  const { log, lines } = recordingLog();
  const accounts = new Accounts({ storage, hasher, clock: time.clock, log });
  const logged = (): LogRow[] =>
    database.all<LogRow>(
      "SELECT request_ip, request_timestamp, user_id FROM auth_logs ORDER BY id",
    ).map((row) => ({ ...row }));
  /** A user whose row holds this hash. */
  const store = async (passwordHash: string): Promise<UserRecord> =>
    (await storage.createUser({ ...ALICE, passwordHash, at: time.now }))!;
  return { accounts, storage, time, logged, lines, store, log };
}

/** The domain's error that `work` fails with. */
export async function refusalOf(work: () => unknown, what = ""): Promise<DomainError> {
  const error = await failureOf(work, what);
  assert.ok(error instanceof DomainError, `${what}: ${error}`);
  return error;
}

/** A hasher whose queue has this room, whatever the work takes. */
export function hasherWith(
  { concurrency = 2, capacity = 100, cost = CHEAP }: {
    concurrency?: number;
    capacity?: number;
    cost?: Argon2Cost;
  } = {},
): PasswordHasher {
  const now = () => performance.now();
  const queue = new FairQueue({ concurrency, patience: Infinity, capacity, now });
  return new PasswordHasher(cost, queue);
}
