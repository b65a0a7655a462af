/** What several tests need: time that is moved, cheap crypto, and the parts put together. */

import type { Hono } from "hono";
import { Accounts } from "../lib/accounts/accounts.ts";
import { type AppParts, createApp } from "../lib/http/app.ts";
import { createClientAddress } from "../lib/http/client_address.ts";
import type { Argon2Cost } from "../lib/sealing/encryption.ts";
import { KeyEncryption } from "../lib/sealing/key_encryption.ts";
import { KeyPool } from "../lib/keys/key_pool.ts";
import { KeyRing } from "../lib/keys/key_ring.ts";
import { createLog, type Log } from "../lib/base/log.ts";
import { PasswordHasher } from "../lib/accounts/password.ts";
import type { AppEnv } from "../lib/http/rate_limit.ts";
import type { RotationPolicy } from "../lib/rotation/policy.ts";
import { generatePrivateJwk, type PrivateJwk } from "../lib/keys/signing_key.ts";
import { SqliteDatabase } from "../lib/storage/sqlite/database.ts";
import { SqliteStorage } from "../lib/storage/sqlite/sqlite_storage.ts";
import type { Storage } from "../lib/storage/storage.ts";
import { TokenIssuer } from "../lib/tokens/token_issuer.ts";

/** A clock that stands still until it is moved. */
export class FakeClock {
  /** In milliseconds. */
  now: number;

  constructor(now: number = Date.UTC(2030, 0, 1)) {
    this.now = now;
  }

  readonly clock = (): number => this.now;

  advance(seconds: number): void {
    this.now += seconds * 1000;
  }
}

/** A log and the lines it was given. */
export function recordingLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog("debug", (line) => void lines.push(line)), lines };
}

export const CHEAP: Argon2Cost = { memoryKib: 8, passes: 1, lanes: 1 };
export const SECRET = "a secret that only tests know";
export const POLICY: RotationPolicy = {
  rotation: 30 * 86_400,
  prepublish: 86_400,
  tokenTtl: 3600,
  clockSkew: 300,
  retention: 7 * 86_400,
  expiredTokens: true,
};
export const ISSUER = "https://issuer.example";

/** RSA keys are slow to make: a few, made once, are handed out in turn. */
const RSA_KEYS = 4;
const made: Promise<PrivateJwk>[] = [];
let handedOut = 0;

export function pregeneratedKey(): Promise<PrivateJwk> {
  return made[handedOut++ % RSA_KEYS] ??= generatePrivateJwk("RS256");
}

export interface RingOptions {
  time?: FakeClock;
  policy?: Partial<RotationPolicy>;
  /** Wraps the storage that the parts see. */
  wrap?: (storage: Storage) => Storage;
}

/** A key ring with all its keys, over a database in memory, and what it is made of. */
export async function makeRing({ time = new FakeClock(), policy, wrap }: RingOptions = {}) {
  const database = SqliteDatabase.open(":memory:");
  const own: Storage = new SqliteStorage(database);
  const storage = wrap ? wrap(own) : own;
  const { log, lines } = recordingLog();
  const { clock } = time;
  const ring = await KeyRing.open({
    storage,
    encryption: await KeyEncryption.establish(storage, SECRET, CHEAP),
    pool: new KeyPool(pregeneratedKey),
    policy: { ...POLICY, ...policy },
    clock,
    log,
  });
  await ring.maintain();
  return { ring, storage, database, time, log, lines };
}

export interface AppOptions extends RingOptions {
  parts?: Partial<AppParts>;
  trustedProxies?: readonly string[];
}

/** The app over `makeRing`, with `send` to reach it as the client at `peer`. */
export async function makeApp({ parts, trustedProxies = [], ...options }: AppOptions = {}) {
  const made = await makeRing(options);
  const { ring, storage, time, log } = made;
  const { clock } = time;
  const hasher = new PasswordHasher(CHEAP, { concurrency: 2, queue: 100 });
  const app: Hono<AppEnv> = createApp({
    ring,
    accounts: new Accounts({ storage, hasher, clock }),
    issuer: new TokenIssuer({ ring, clock, issuer: ISSUER, audience: ISSUER, ...POLICY }),
    clientAddress: createClientAddress(trustedProxies),
    registration: true,
    expiredTokens: options.policy?.expiredTokens ?? true,
    rateLimit: { limit: 10, window: 1000, now: clock },
    clock,
    log,
    ...parts,
  });
  const send = async (path: string, init: RequestInit = {}, peer = "192.0.2.1") =>
    await app.request(path, init, { remoteAddr: { hostname: peer } });
  return { ...made, app, send };
}

/** A POST of `body` as JSON. */
export function json(body: unknown): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
}

/** Runs `body` with a directory that is gone afterwards. */
export async function withTempDir(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** What `work` rejects with; fails, and tells `what` was tried, when it does not. */
export async function failureOf(work: () => unknown, what = ""): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error(`Expected a failure, and there was none: ${what}`);
}
