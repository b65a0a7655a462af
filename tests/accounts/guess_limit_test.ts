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
  const tries = (username: string, network: string): boolean => {
    try {
      limit.admit(username, network);
      return true;
    } catch (error) {
      assert.ok(isDomainError(error, "rate_limited"));
      assert.equal(error.data.retryAfter, 1);
      return false;
    }
  };
  return { limit, time, tries, window };
}

Deno.test("GuessLimit admits so many wrong passwords for a name, from however many networks", () => {
  const { tries, time } = makeLimit();
  const networks = Array.from({ length: 20 }, (_, place) => `192.0.2.${place}`);
  assert.equal(networks.filter((network) => tries("alice", network)).length, LIMIT);
  assert.equal(tries("bob", "192.0.2.1"), true);
  time.now += WINDOW;
  assert.equal(networks.filter((network) => tries("alice", network)).length, LIMIT);
});

Deno.test("GuessLimit counts the spellings of a name as one", () => {
  const { tries } = makeLimit();
  const names = ["alice", "ALICE", "Alice", "aLice"];
  assert.equal(names.filter((name) => tries(name, "192.0.2.1")).length, LIMIT);
});

Deno.test("GuessLimit counts no try that was right, or that got no answer", () => {
  const { limit, tries, window } = makeLimit();
  for (let i = 0; i < 20; i++) limit.admit("alice", "192.0.2.1").withdraw();
  for (let i = 0; i < 20; i++) limit.admit("alice", `198.51.100.${i}`).succeed();
  assert.equal(window.clients, 0);
  for (let i = 0; i < LIMIT; i++) assert.equal(tries("alice", "192.0.2.1"), true);
  assert.equal(tries("alice", "192.0.2.1"), false);
});

Deno.test("GuessLimit keeps nobody out at a place where the password was right before", () => {
  const { limit, tries } = makeLimit();
  limit.admit("alice", "192.0.2.1").succeed();
  for (let i = 0; i < 20; i++) tries("alice", `198.51.100.${i}`);
  assert.equal(tries("Alice", "192.0.2.1"), true);
  assert.equal(tries("alice", "192.0.2.2"), false);
});

Deno.test("GuessLimit knows one client's place for that client alone", () => {
  const { limit, tries } = makeLimit();
  limit.admit("bob", "192.0.2.1").succeed();
  for (let i = 0; i < LIMIT; i++) tries("alice", `198.51.100.${i}`);
  assert.equal(tries("alice", "192.0.2.1"), false);
});

Deno.test("GuessLimit holds no more places than it may, those that were used last", () => {
  const { limit, tries } = makeLimit(2);
  for (const network of ["one", "two", "one", "three"]) limit.admit("alice", network).succeed();
  assert.equal(limit.size, 2);
  for (let i = 0; i < LIMIT; i++) tries("alice", `198.51.100.${i}`);
  const known = ["one", "two", "three"].filter((network) => tries("alice", network));
  assert.deepEqual(known, ["one", "three"]);
});
