import assert from "node:assert/strict";
import fc from "fast-check";
import { Accounts } from "../../lib/accounts/accounts.ts";
import { FairQueue } from "../../lib/accounts/fair_queue.ts";
import { GuessLimit } from "../../lib/accounts/guess_limit.ts";
import { LoginCache } from "../../lib/accounts/login_cache.ts";
import { PasswordHasher } from "../../lib/accounts/password.ts";
import { DomainError, isDomainError } from "../../lib/base/errors.ts";
import { SlidingWindow } from "../../lib/limits/sliding_window.ts";
import { CHEAP, CLIENT, failureOf, FakeClock, openStorage, recordingLog } from "../support.ts";
import { ALICE } from "./make_accounts.ts";

const TTL = 300_000;
const [LIMIT, WINDOW] = [5, 1000];

/** Accounts that remember and limit, beside others over the same storage that do neither. */
function makeRemembering() {
  const storage = openStorage();
  const time = new FakeClock();
  const { log } = recordingLog();
  const now = () => time.now;
  const queue = new FairQueue({ concurrency: 1, patience: Infinity, capacity: 100, now });
  let works = 0;
  let isFull = false;
  let isRefusing = false;
  const run = queue.run.bind(queue);
  queue.run = (owner, work) => {
    if (isFull) return new Promise(() => {}); // a flood is before it
    if (isRefusing) return Promise.reject(new DomainError("overloaded", "Too many"));
    works++;
    return run(owner, work);
  };
  const hasher = new PasswordHasher(CHEAP, queue);
  const cache = new LoginCache({ ttl: TTL, capacity: 100, now });
  const window = new SlidingWindow({ limit: LIMIT, window: WINDOW, now });
  const guesses = new GuessLimit({ window, capacity: 100 });
  const parts = { storage, hasher, clock: time.clock, log };
  const accounts = new Accounts({ ...parts, cache, guesses });
  const plain = new Accounts(parts);
  /** How a login comes out, and how many times Argon2 runs for it. */
  const login = async (password: string, username = "alice", network = CLIENT.network) => {
    works = 0;
    const outcome = await outcomeOf(accounts, { username, password }, network);
    return { outcome, works };
  };
  const flood = () => void (isFull = true);
  const refuse = (isFrom: boolean) => void (isRefusing = isFrom);
  return { accounts, plain, storage, time, login, flood, refuse };
}

async function outcomeOf(
  accounts: Accounts,
  credentials: { username: string; password: string },
  network = CLIENT.network,
): Promise<string> {
  try {
    await accounts.authentication.authenticate(credentials, { ip: network, network });
    return "right";
  } catch (error) {
    assert.ok(isDomainError(error), String(error));
    return error.code;
  }
}

const REFUSED = { outcome: "invalid_credentials", works: 1 };

Deno.test("a repeat login runs no Argon2, and passes while a flood keeps Argon2 busy", async () => {
  const { accounts, login, flood } = makeRemembering();
  const password = await accounts.register(ALICE, CLIENT.network);
  assert.deepEqual(await login(password), { outcome: "right", works: 1 });
  flood();
  for (const name of ["alice", "ALICE"]) {
    assert.deepEqual(await login(password, name), { outcome: "right", works: 0 });
  }
});

Deno.test("a login that was wrong is never remembered, for a user and for nobody", async () => {
  const { accounts, login, time } = makeRemembering();
  await accounts.register(ALICE, CLIENT.network);
  for (const name of ["alice", "nobody", "alice", "nobody"]) {
    assert.deepEqual(await login("wrong", name), REFUSED);
    time.advance(1);
  }
});

Deno.test("a disabled user's right password is the work of a wrong one, remembered or not", async () => {
  const { accounts, login, time } = makeRemembering();
  const password = await accounts.register(ALICE, CLIENT.network);
  await login(password);
  await accounts.setDisabled("alice", true);
  for (const one of [password, "wrong", password]) {
    assert.deepEqual(await login(one), REFUSED);
    time.advance(1);
  }
});

Deno.test("a login is remembered as long as it is repeated in time", async () => {
  const { accounts, login, time } = makeRemembering();
  const password = await accounts.register(ALICE, CLIENT.network);
  const works = [];
  for (const pause of [0, TTL - 1000, TTL - 1000, TTL]) {
    time.advance(pause / 1000);
    works.push((await login(password)).works);
  }
  assert.deepEqual(works, [1, 0, 0, 1]);
});

Deno.test("a hash that is to be upgraded is not remembered before it is", async () => {
  const { accounts, plain, storage } = makeRemembering();
  const password = await accounts.register(ALICE, CLIENT.network);
  const dear = new PasswordHasher({ ...CHEAP, passes: 2 }, queueOfOne());
  const clock = () => 0;
  const cache = new LoginCache({ ttl: TTL, capacity: 9, now: clock });
  const { log } = recordingLog();
  const upgrading = new Accounts({ storage, hasher: dear, clock, log, cache });
  await outcomeOf(upgrading, { username: "alice", password });
  assert.equal(cache.size, 0);
  assert.match((await storage.findUser("alice"))!.passwordHash, /t=2/);
  await outcomeOf(upgrading, { username: "alice", password });
  assert.equal(cache.size, 1);
  assert.equal(await outcomeOf(plain, { username: "alice", password }), "right");
});

function queueOfOne(): FairQueue {
  return new FairQueue({ concurrency: 1, patience: Infinity, capacity: 9, now: () => 0 });
}

/** What may happen to a client between its logins. */
const happening = fc.oneof(
  fc.record({ kind: fc.constant("login" as const), password: fc.nat(4) }),
  fc.record({ kind: fc.constantFrom("reset", "rotate", "disable", "enable", "delete") }),
  fc.record({ kind: fc.constant("wait" as const), seconds: fc.constantFrom(1, 30, 100, 400) }),
);

Deno.test("what is remembered never changes how a login comes out", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 25 }), async (happenings) => {
      const { accounts, plain, time } = makeRemembering();
      const passwords = ["wrong", await accounts.register(ALICE, CLIENT.network)];
      for (const happening of happenings) {
        time.advance(1); // what is tried too often is another matter
        if ("password" in happening) {
          const password = passwords.at(-1 - happening.password) ?? "wrong";
          const credentials = { username: "alice", password };
          const expected = await outcomeOf(plain, credentials);
          assert.equal(await outcomeOf(accounts, credentials), expected);
        } else if ("seconds" in happening) time.advance(happening.seconds);
        else await change(plain, happening.kind, passwords);
      }
    }),
    { numRuns: 60 },
  );
});

/** Changes the client by other accounts than those that remember, as another process does. */
async function change(accounts: Accounts, kind: string, passwords: string[]): Promise<void> {
  const { network } = CLIENT;
  try {
    if (kind === "reset") passwords.push(await accounts.resetPassword("alice", network));
    if (kind === "rotate") passwords.push(await accounts.rotatePassword("alice", 60, network));
    if (kind === "disable") await accounts.setDisabled("alice", true);
    if (kind === "enable") await accounts.setDisabled("alice", false);
    if (kind === "delete") await accounts.deleteUser("alice");
  } catch (error) {
    if (!isDomainError(error, "not_found")) throw error; // it was deleted before
  }
}

Deno.test("wrong passwords for one name are limited over all networks, known or not, and leave no row", async () => {
  const { accounts, login, storage } = makeRemembering();
  await accounts.register(ALICE, CLIENT.network);
  for (const name of ["alice", "nobody"]) {
    const outcomes = [];
    for (let place = 0; place < 2 * LIMIT; place++) {
      outcomes.push((await login("wrong", name, `198.51.100.${place}`)).outcome);
    }
    assert.deepEqual(outcomes, [
      ...Array(LIMIT).fill("invalid_credentials"),
      ...Array(LIMIT).fill("rate_limited"),
    ]);
  }
  const rows = await storage.readAuthentications({ afterId: 0, since: 0, limit: 100 });
  assert.equal(rows.length, 2 * LIMIT);
});

Deno.test("a try that got no answer, since too many waited, is not counted", async () => {
  const { accounts, refuse } = makeRemembering();
  const credentials = { username: "alice", password: "wrong" };
  refuse(true);
  for (let i = 0; i < 2 * LIMIT; i++) {
    assert.equal(await outcomeOf(accounts, credentials), "overloaded");
  }
  refuse(false);
  assert.equal(await outcomeOf(accounts, credentials), "invalid_credentials");
});

Deno.test("who has logged in is not kept out by those who guess elsewhere", async () => {
  const { accounts, login, time } = makeRemembering();
  const password = await accounts.register(ALICE, CLIENT.network);
  const guess = async () => {
    for (let place = 0; place < 2 * LIMIT; place++) {
      await login("wrong", "alice", `198.51.100.${place}`);
    }
  };
  await login(password);
  await guess();
  assert.deepEqual(await login(password, "alice", "203.0.113.1"), { outcome: "right", works: 0 });
  time.advance(TTL / 1000); // it is not remembered any more
  await guess();
  assert.deepEqual(await login(password), { outcome: "right", works: 1 });
});

Deno.test("a name that is tried too often says after how many seconds to try again", async () => {
  const { accounts } = makeRemembering();
  const tries = Array.from(
    { length: LIMIT + 1 },
    () =>
      failureOf(() =>
        accounts.authentication.authenticate({ username: "nobody", password: "wrong" }, CLIENT)
      ),
  );
  const refused = (await Promise.all(tries)).filter((error) =>
    isDomainError(error, "rate_limited")
  );
  assert.deepEqual(refused.map((error) => isDomainError(error) && error.data.retryAfter), [1]);
});
