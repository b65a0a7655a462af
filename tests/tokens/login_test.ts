import assert from "node:assert/strict";
import { hash } from "@node-rs/argon2";
import { decodeJwt } from "jose";
import { Accounts } from "../../lib/accounts/accounts.ts";
import { isDomainError, storageUnavailable } from "../../lib/base/errors.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { SqliteStorage } from "../../lib/storage/sqlite/sqlite_storage.ts";
import { createAssertionVerifier } from "../../lib/tokens/client_assertion.ts";
import { createLogin } from "../../lib/tokens/login.ts";
import { ReplayGuard } from "../../lib/tokens/replay_guard.ts";
import { TokenIssuer } from "../../lib/tokens/token_issuer.ts";
import {
  cheapHasher,
  CLIENT,
  failureOf,
  ISSUER,
  makeRing,
  openDatabase,
  POLICY,
  type RingOptions,
  wrapStorage,
} from "../support.ts";

const ALICE = { username: "alice", email: "alice@example.com" };

/** What a test does between the check of a password and its record, for the nth time. */
type Meanwhile = (accounts: Accounts, time: number, storage: Storage) => Promise<unknown>;

/** A login over a database of its own, with a look at its log. */
async function makeLogin({ meanwhile, ...options }: RingOptions & { meanwhile?: Meanwhile } = {}) {
  const database = openDatabase();
  const own = new SqliteStorage(database);
  const { ring, time, log } = await makeRing({ ...options, storage: own });
  const hasher = cheapHasher();
  const outside = new Accounts({ storage: own, hasher, clock: time.clock, log });
  const seen = { checks: 0, records: 0 };
  const storage = wrapStorage(own, (own) => ({
    async recordAuthentication(record) {
      if (record.user !== null) await meanwhile?.(outside, ++seen.records, own);
      return await own.recordAuthentication(record);
    },
    findClient(username) {
      seen.checks++;
      return own.findClient(username);
    },
  }));
  const accounts = new Accounts({ storage, hasher, clock: time.clock, log });
  const issuer = new TokenIssuer({
    ring,
    clock: time.clock,
    issuer: ISSUER,
    audience: ISSUER,
    ...POLICY,
  });
  const { clock } = time;
  const replay = new ReplayGuard({ capacity: 10, clock });
  const assertions = createAssertionVerifier({ audiences: [ISSUER], replay, clock });
  const login = createLogin({ accounts, assertions, ring });
  const password = await outside.register(ALICE, CLIENT.ip);
  const ask = (password: string, isExpired = false) =>
    login(
      { method: "password", credentials: { username: "alice", password } },
      CLIENT,
      ({ user }) => isExpired ? issuer.issueExpired(user.username) : issuer.issue(user.username),
    );
  const rows = () =>
    database.all<{ user_id: number | null }>("SELECT user_id FROM auth_logs ORDER BY id")
      .map((row) => row.user_id);
  const { id } = (await own.findUser("alice"))!;
  return { ask, password, rows, seen, time, id };
}

/** The code of the refusal that `work` ends with. */
async function codeOf(work: () => unknown): Promise<string> {
  const error = await failureOf(work);
  assert.ok(isDomainError(error), String(error));
  return error.code;
}

Deno.test("login() gives a token and leaves one row, with the user", async () => {
  const { ask, password, rows, id } = await makeLogin();
  const { token, expiresIn } = await ask(password);
  assert.equal(decodeJwt(token).sub, "alice");
  assert.equal(expiresIn, POLICY.tokenTtl);
  assert.deepEqual(rows(), [id]);
});

Deno.test("login() gives a token that has expired on request, and leaves the same row", async () => {
  const { ask, password, rows, id, time } = await makeLogin();
  const { token, expiresIn } = await ask(password, true);
  assert.ok(decodeJwt(token).exp! < time.seconds);
  assert.equal(expiresIn, 0);
  assert.deepEqual(rows(), [id]);
});

Deno.test("login() refuses a wrong password and leaves one row, without a user", async () => {
  const { ask, rows } = await makeLogin();
  assert.equal(await codeOf(() => ask("wrong")), "invalid_credentials");
  assert.equal(await codeOf(() => ask("wrong", true)), "invalid_credentials");
  assert.deepEqual(rows(), [null, null]);
});

Deno.test("login() gives no token whose row cannot be written", async () => {
  const meanwhile = () => Promise.reject(storageUnavailable("full"));
  for (const isExpired of [false, true]) {
    const { ask, password, rows } = await makeLogin({ meanwhile });
    assert.equal(await codeOf(() => ask(password, isExpired)), "storage_unavailable");
    assert.deepEqual(rows(), []);
  }
});

Deno.test("login() leaves no row of a success when no token can be made", async () => {
  const { ask, password, rows } = await makeLogin({ policy: { expiredTokens: false } });
  assert.equal(await codeOf(() => ask(password, true)), "invalid_request");
  assert.deepEqual(rows(), []);
});

/** As another login does that upgrades the hash: the same password, another hash. */
async function upgrade(storage: Storage, password: string): Promise<void> {
  const { id, passwordHash } = (await storage.findUser("alice"))!;
  const next = await hash(password, { memoryCost: 8, timeCost: 1, parallelism: 1 });
  assert.ok(await storage.replacePasswordHash(id, passwordHash, next));
}

Deno.test("login() checks once more whose hash was upgraded meanwhile, and leaves one row", async () => {
  let known = "";
  const meanwhile: Meanwhile = async (_, time, storage) => {
    if (time === 1) await upgrade(storage, known);
  };
  const { ask, password, rows, seen, id } = await makeLogin({ meanwhile });
  known = password;
  seen.checks = 0;
  const { token } = await ask(password);
  assert.equal(decodeJwt(token).sub, "alice");
  assert.equal(seen.checks, 2);
  assert.deepEqual(rows(), [id]);
});

Deno.test("login() refuses whoever was disabled or got another password meanwhile, on record once", async () => {
  const changes: Meanwhile[] = [
    (accounts) => accounts.setDisabled("alice", true),
    (accounts) => accounts.resetPassword("alice", CLIENT.ip),
  ];
  for (const meanwhile of changes) {
    for (const isExpired of [false, true]) {
      const { ask, password, rows } = await makeLogin({ meanwhile });
      assert.equal(await codeOf(() => ask(password, isExpired)), "invalid_credentials");
      assert.deepEqual(rows(), [null]);
    }
  }
});

Deno.test("login() gives up when the user has changed three times, with nothing on record", async () => {
  let known = "";
  const meanwhile: Meanwhile = (_accounts, _time, storage) => upgrade(storage, known);
  const { ask, password, rows, seen } = await makeLogin({ meanwhile });
  known = password;
  const error = await failureOf(() => ask(password));
  assert.ok(isDomainError(error, "overloaded"));
  assert.equal(error.data.retryAfter, 1);
  assert.equal(seen.records, 3);
  assert.deepEqual(rows(), []);
});
