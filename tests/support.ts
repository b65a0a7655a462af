/** What several tests need: time that is moved, cheap crypto, and the parts put together. */

import type { Hono } from "hono";
import { Accounts } from "../lib/accounts/accounts.ts";
import { FairQueue } from "../lib/accounts/fair_queue.ts";
import { PasswordHasher } from "../lib/accounts/password.ts";
import type { Argon2Cost } from "../lib/base/argon2_cost.ts";
import { createLog, type Log } from "../lib/base/log.ts";
import { type AppParts, createApp } from "../lib/http/app.ts";
import { createFindClient } from "../lib/http/client_address.ts";
import type { AppEnv } from "../lib/http/environment.ts";
import type { SigningAlgorithm } from "../lib/keys/algorithms.ts";
import type { KeyPolicy } from "../lib/keys/key_policy.ts";
import { KeyPool } from "../lib/keys/key_pool.ts";
import { KeyRing, type KeyRingParts } from "../lib/keys/key_ring.ts";
import { generatePrivateJwk, type PrivateJwk } from "../lib/keys/signing_key.ts";
import { SlidingWindow } from "../lib/limits/sliding_window.ts";
import { KeyEncryption } from "../lib/sealing/key_encryption.ts";
import { SqliteDatabase } from "../lib/storage/sqlite/database.ts";
import { examineDatabase, IN_MEMORY } from "../lib/storage/sqlite/examination.ts";
import { SqliteStorage } from "../lib/storage/sqlite/sqlite_storage.ts";
import type { Storage } from "../lib/storage/storage.ts";
import { createAssertionVerifier } from "../lib/tokens/client_assertion.ts";
import { createProofVerifier } from "../lib/tokens/dpop.ts";
import { createForeignKeys } from "../lib/tokens/foreign_keys.ts";
import { createIntrospection } from "../lib/tokens/introspection.ts";
import { createLogin } from "../lib/tokens/login.ts";
import { ReplayGuard } from "../lib/tokens/replay_guard.ts";
import { TestTokenIssuer } from "../lib/tokens/test_tokens.ts";
import { TokenIssuer } from "../lib/tokens/token_issuer.ts";
import { assertDescribed } from "./http/described_answer.ts";

/** A clock that stands still until it is moved. */
export class FakeClock {
  /** In milliseconds. */
  now: number;

  constructor(now: number = Date.UTC(2030, 0, 1)) {
    this.now = now;
  }

  readonly clock = (): number => this.now;

  /** The time in seconds, as schedules tell it. */
  get seconds(): number {
    return Math.floor(this.now / 1000);
  }

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
export const POLICY: KeyPolicy = {
  alg: "RS256",
  rotation: 30 * 86_400,
  prepublish: 86_400,
  tokenTtl: 3600,
  clockSkew: 300,
  retention: 7 * 86_400,
  expiredTokens: true,
  staleIfError: 3600,
};
export const ISSUER = "https://issuer.example";

/** A client as the domain knows it. */
export const CLIENT = { ip: "192.0.2.1", network: "192.0.2.1" };

/** RSA keys are slow to make: a few, made once, are handed out in turn. */
const RSA_KEYS = 4;
const made: Promise<PrivateJwk>[] = [];
let handedOut = 0;

export function pregeneratedKey(alg: SigningAlgorithm = "RS256"): Promise<PrivateJwk> {
  if (alg !== "RS256") return generatePrivateJwk(alg);
  return made[handedOut++ % RSA_KEYS] ??= generatePrivateJwk("RS256");
}

/** An open database in memory, or in a file. */
export function openDatabase(path?: string): SqliteDatabase {
  return SqliteDatabase.open(
    path === undefined ? IN_MEMORY : examineDatabase(path, { withUsers: true }),
  );
}

export function openStorage(path?: string): SqliteStorage {
  return new SqliteStorage(openDatabase(path));
}

export interface RingOptions {
  time?: FakeClock;
  policy?: Partial<KeyPolicy>;
  /** The storage in place of a new one in memory. */
  storage?: Storage;
  secret?: string;
  /** Whatever else is to be other than usual. */
  parts?: Partial<KeyRingParts>;
}

/** What a key ring is made of, and the lines of its log. */
export async function ringParts(
  { time = new FakeClock(), storage = openStorage(), secret = SECRET, ...options }: RingOptions =
    {},
): Promise<KeyRingParts & { storage: Storage; lines: string[] }> {
  const { log, lines } = recordingLog();
  return {
    storage,
    encryption: await KeyEncryption.establish(storage, secret, CHEAP),
    reopen: () => Promise.resolve(undefined),
    pool: new KeyPool(pregeneratedKey),
    policy: { ...POLICY, ...options.policy },
    clock: time.clock,
    log,
    lines,
    ...options.parts,
  } as KeyRingParts & { storage: Storage; lines: string[] };
}

/** A key ring with all its keys, and what it is made of. */
export async function makeRing(options: RingOptions = {}) {
  const time = options.time ?? new FakeClock();
  const parts = await ringParts({ ...options, time });
  const ring = await KeyRing.open(parts);
  await ring.maintain();
  return { ...parts, ring, time };
}

/** A hasher whose work is cheap and whose queue is long. */
export function cheapHasher(cost: Argon2Cost = CHEAP): PasswordHasher {
  const now = () => performance.now();
  const queue = new FairQueue({ concurrency: 2, patience: Infinity, capacity: 100, now });
  return new PasswordHasher(cost, queue);
}

export interface AppOptions extends RingOptions {
  app?: Partial<AppParts>;
  trustedProxies?: readonly string[];
  /** Whether clients may ask for test tokens. */
  testTokens?: boolean;
}

/**
 * The app over `makeRing`, with `send` to reach it as the client at `peer`. Whatever is answered must
 * be described.
 */
export async function makeApp({ app: own, trustedProxies = [], ...options }: AppOptions = {}) {
  const made = await makeRing(options);
  const { ring, storage, time, log } = made;
  const { clock } = time;
  const accounts = new Accounts({ storage, hasher: cheapHasher(), clock, log });
  const tokens = { ring, clock, issuer: ISSUER, audience: ISSUER, ...POLICY };
  const replay = new ReplayGuard({ capacity: 1000, clock });
  const audiences = [ISSUER, `${ISSUER}/token`];
  const assertions = createAssertionVerifier({ audiences, replay, clock });
  const app: Hono<AppEnv> = createApp({
    ring,
    accounts,
    login: createLogin({ accounts, assertions, ring }),
    issuer: new TokenIssuer(tokens),
    testTokens: options.testTokens
      ? new TestTokenIssuer({ ...tokens, foreignKey: createForeignKeys() })
      : undefined,
    introspect: createIntrospection({ ring, storage, issuer: ISSUER, clock }),
    proofs: createProofVerifier({ replay, clock }),
    issuerUrl: ISSUER,
    jwksUri: undefined,
    audience: ISSUER,
    passwordOverlap: 86_400,
    findHindrance: () => Promise.resolve(undefined),
    findClient: createFindClient(trustedProxies),
    registration: true,
    expiredTokens: options.policy?.expiredTokens ?? true,
    page: true,
    limiter: () => new SlidingWindow({ limit: 10, window: 1000, now: clock }),
    caching: { staleIfError: 3600, tokenTtl: POLICY.tokenTtl },
    clock,
    log,
    ...own,
  });
  const { issuerUrl = ISSUER, registration = true, page = true } = own ?? {};
  const has = { issuer: issuerUrl, registration, page };
  const send = async (path: string, init: RequestInit = {}, peer = "192.0.2.1") => {
    const response = await app.request(path, init, { remoteAddr: { hostname: peer } });
    const asked = { method: init.method ?? "GET", path: path.replace(/\?.*$/s, "") };
    const { status, headers } = response;
    assertDescribed(asked, { status, headers, text: await response.clone().text() }, has);
    return response;
  };
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

/** A storage whose methods of these names do something else; `own` is the one behind it. */
export function wrapStorage(
  own: Storage,
  others: (own: Storage) => Partial<Storage>,
): Storage {
  const overriding = others(own);
  return new Proxy(own, {
    get(target, name) {
      const source = name in overriding ? overriding : target;
      const value = Reflect.get(source, name);
      return typeof value === "function" ? value.bind(source) : value;
    },
  });
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
