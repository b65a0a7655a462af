import assert from "node:assert/strict";
import { LoginCache } from "../../lib/accounts/login_cache.ts";

const TTL = 300_000;

/** A cache whose time is moved by hand. */
async function makeCache(capacity = 100) {
  const time = { now: 0 };
  const cache = await LoginCache.create({ ttl: TTL, capacity, now: () => time.now });
  return { cache, time };
}

Deno.test("LoginCache.find() gives the hash that was remembered with the password, and no other", async () => {
  const { cache } = await makeCache();
  await cache.remember("hash", "password");
  assert.equal(await cache.find(["other", "hash"], "password"), "hash");
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
    assert.equal(await cache.find(hashes, password), undefined, JSON.stringify([hashes, password]));
  }
  assert.equal(cache.hits, 1);
});

Deno.test("LoginCache forgets a login when it was used last so long ago", async () => {
  const { cache, time } = await makeCache();
  await cache.remember("hash", "password");
  for (const passed of [TTL - 1, TTL - 1, TTL - 1]) {
    time.now += passed;
    assert.equal(await cache.find(["hash"], "password"), "hash");
  }
  time.now += TTL;
  assert.equal(await cache.find(["hash"], "password"), undefined);
});

Deno.test("LoginCache holds no more logins than it may, those that were used last", async () => {
  const { cache } = await makeCache(3);
  for (const hash of ["one", "two", "three"]) await cache.remember(hash, "password");
  await cache.find(["one"], "password");
  await cache.remember("four", "password");
  assert.equal(cache.size, 3);
  const held = [];
  for (const hash of ["one", "two", "three", "four"]) {
    held.push(await cache.find([hash], "password"));
  }
  assert.deepEqual(held, ["one", undefined, "three", "four"]);
});

Deno.test("LoginCache drops what is over when something new comes", async () => {
  const { cache, time } = await makeCache();
  for (const hash of ["one", "two", "three"]) await cache.remember(hash, "password");
  time.now += TTL;
  await cache.remember("four", "password");
  assert.equal(cache.size, 1);
});

Deno.test("LoginCache of another process finds nothing: its key is its own", async () => {
  const [one, other] = [await makeCache(), await makeCache()];
  await one.cache.remember("hash", "password");
  assert.equal(await other.cache.find(["hash"], "password"), undefined);
});
