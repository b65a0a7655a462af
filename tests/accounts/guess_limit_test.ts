import assert from "node:assert/strict";
import { GuessLimit } from "../../lib/accounts/guess_limit.ts";
import { isDomainError } from "../../lib/base/errors.ts";
import { SlidingWindow } from "../../lib/limits/sliding_window.ts";

const LIMIT = 3;
const WINDOW = 1000;

/** A limit of three a second whose time is moved by hand. */
function makeLimit(capacity = 100) {
  const time = { now: 0 };
  const window = new SlidingWindow({ limit: LIMIT, window: WINDOW, now: () => time.now });
  const limit = new GuessLimit({ window, capacity });
  /** Whether a try from there is admitted; it stays a wrong one. */
  const tries = async (username: string, network: string): Promise<boolean> => {
    try {
      await limit.admit(username, network);
      return true;
    } catch (error) {
      assert.ok(isDomainError(error, "rate_limited"));
      assert.equal(error.data.retryAfter, 1);
      return false;
    }
  };
  /** How many of these are admitted, one after the other. */
  const admitted = async (guesses: readonly (readonly [username: string, network: string])[]) => {
    let count = 0;
    for (const guess of guesses) if (await tries(...guess)) count++;
    return count;
  };
  return { limit, time, tries, admitted, window };
}

Deno.test("GuessLimit admits so many wrong passwords for a name, from however many networks", async () => {
  const { tries, admitted, time } = makeLimit();
  const guesses = Array.from({ length: 20 }, (_, place) => ["alice", `192.0.2.${place}`] as const);
  assert.equal(await admitted(guesses), LIMIT);
  assert.equal(await tries("bob", "192.0.2.1"), true);
  time.now += WINDOW;
  assert.equal(await admitted(guesses), LIMIT);
});

Deno.test("GuessLimit counts the spellings of a name as one", async () => {
  const { admitted } = makeLimit();
  const names = ["alice", "ALICE", "Alice", "aLice"];
  assert.equal(await admitted(names.map((name) => [name, "192.0.2.1"])), LIMIT);
});

Deno.test("GuessLimit counts no try that was right, or that got no answer", async () => {
  const { limit, tries, window } = makeLimit();
  for (let i = 0; i < 20; i++) (await limit.admit("alice", "192.0.2.1")).withdraw();
  for (let i = 0; i < 20; i++) (await limit.admit("alice", `198.51.100.${i}`)).succeed();
  assert.equal(window.clients, 0);
  for (let i = 0; i < LIMIT; i++) assert.equal(await tries("alice", "192.0.2.1"), true);
  assert.equal(await tries("alice", "192.0.2.1"), false);
});

Deno.test("GuessLimit keeps nobody out at a place where the password was right before", async () => {
  const { limit, tries } = makeLimit();
  (await limit.admit("alice", "192.0.2.1")).succeed();
  for (let i = 0; i < 20; i++) await tries("alice", `198.51.100.${i}`);
  assert.equal(await tries("Alice", "192.0.2.1"), true);
  assert.equal(await tries("alice", "192.0.2.2"), false);
});

Deno.test("GuessLimit knows one client's place for that client alone", async () => {
  const { limit, tries } = makeLimit();
  (await limit.admit("bob", "192.0.2.1")).succeed();
  for (let i = 0; i < LIMIT; i++) await tries("alice", `198.51.100.${i}`);
  assert.equal(await tries("alice", "192.0.2.1"), false);
});

Deno.test("GuessLimit holds no more places than it may, those that were used last", async () => {
  const { limit, tries } = makeLimit(2);
  for (const network of ["one", "two", "one", "three"]) {
    (await limit.admit("alice", network)).succeed();
  }
  assert.equal(limit.size, 2);
  for (let i = 0; i < LIMIT; i++) await tries("alice", `198.51.100.${i}`);
  assert.equal(await tries("alice", "one"), true);
  assert.equal(await tries("alice", "two"), false);
  assert.equal(await tries("alice", "three"), true);
});
