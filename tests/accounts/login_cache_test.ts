import assert from "node:assert/strict";
import { LoginCache } from "../../lib/accounts/login_cache.ts";

const TTL = 300_000;

/** A cache whose time is moved by hand. */
function makeCache(capacity = 100) {
  const time = { now: 0 };
  const cache = new LoginCache({ ttl: TTL, capacity, now: () => time.now });
  return { cache, time };
}

Deno.test("LoginCache.find() gives the hash that was remembered with the password, and no other", () => {
  const { cache } = makeCache();
  cache.remember("hash", "password");
  assert.equal(cache.find(["other", "hash"], "password"), "hash");
  const misses: [string[], string][] = [
    [["hash"], "Password"],
    [["hash"], ""],
    [["Hash"], "password"],
    [["password"], "hash"],
    [["hash", "password"].map((text) => `${text} `), "password"],
    [["has"], "hpassword"],
    [[], "password"],
    [[""], "password"],
  ];
  for (const [hashes, password] of misses) {
    assert.equal(cache.find(hashes, password), undefined, JSON.stringify([hashes, password]));
  }
  assert.equal(cache.hits, 1);
});

Deno.test("LoginCache forgets a login when it was used last so long ago", () => {
  const { cache, time } = makeCache();
  cache.remember("hash", "password");
  for (const passed of [TTL - 1, TTL - 1, TTL - 1]) {
    time.now += passed;
    assert.equal(cache.find(["hash"], "password"), "hash");
  }
  time.now += TTL;
  assert.equal(cache.find(["hash"], "password"), undefined);
});

Deno.test("LoginCache holds no more logins than it may, those that were used last", () => {
  const { cache } = makeCache(3);
  for (const hash of ["one", "two", "three"]) cache.remember(hash, "password");
  cache.find(["one"], "password");
  cache.remember("four", "password");
  assert.equal(cache.size, 3);
  const held = [];
  for (const hash of ["one", "two", "three", "four"]) {
    held.push(cache.find([hash], "password"));
  }
  assert.deepEqual(held, ["one", undefined, "three", "four"]);
});

Deno.test("LoginCache drops what is over when something new comes", () => {
  const { cache, time } = makeCache();
  for (const hash of ["one", "two", "three"]) cache.remember(hash, "password");
  time.now += TTL;
  cache.remember("four", "password");
  assert.equal(cache.size, 1);
});

Deno.test("LoginCache of another process finds nothing: its key is its own", () => {
  const [one, other] = [makeCache(), makeCache()];
  one.cache.remember("hash", "password");
  assert.equal(other.cache.find(["hash"], "password"), undefined);
});
