import assert from "node:assert/strict";
import type { Admission } from "../../../lib/limits/limiter.ts";
import { testLimiter } from "../limiter_conformance.ts";
import { connected, ignore, MovedTime, movedWindows, oneValkey, windowOf } from "./valkeys.ts";

const withValkey = oneValkey();

testLimiter({
  name: "ValkeyWindow",
  runs: 20,
  ignore,
  use: (body) => withValkey((_, connection) => body(movedWindows(connection))),
});

/** A test that needs a server. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

function count(admissions: readonly Admission[]): number {
  return admissions.filter(({ admitted }) => admitted).length;
}

test("ValkeyWindow admits exactly 10 of 100 requests at once over four connections", () =>
  withValkey(async (server) => {
    const connections = await Promise.all([1, 2, 3, 4].map(() => connected(server)));
    const windows = connections.map((one) => windowOf(one, { limit: 10, window: 60_000 }));
    const all = Array.from({ length: 100 }, (_, place) => windows[place % 4]!.admit("a"));
    assert.equal(count(await Promise.all(all)), 10);
    for (const connection of connections) connection.close();
  }));

test("ValkeyWindow admits no more than the limit in any window of the server's own clock", () =>
  withValkey(async (server, connection) => {
    const [limit, window] = [5, 40];
    const other = await connected(server);
    const windows = [connection, other].map((one) => windowOf(one, { limit, window }));
    const tickets: number[] = [];
    let rejected = 0;
    while (tickets.length < 10 * limit) {
      const answers = await Promise.all(windows.map((window) => window.admit("a")));
      for (const { ticket } of answers) ticket ? tickets.push(Number(ticket)) : rejected++;
    }
    other.close();
    tickets.sort((one, next) => one - next);
    for (const [place, time] of tickets.entries()) {
      const before = tickets[place - limit];
      assert.ok(before === undefined || time - before >= window * 1000, `${before} ${time}`);
    }
    assert.ok(rejected > 0, "the limit was never reached");
  }));

test("ValkeyWindow decides to the microsecond", () =>
  withValkey(async (_, connection) => {
    const time = new MovedTime(connection);
    const sliding = windowOf(time, { limit: 1, window: 60_000 });
    time.advance(0.123);
    const first = await sliding.admit("a");
    assert.deepEqual([first.retryIn, first.resetIn], [60_000, 60_000]);
    time.advance(59_999.999);
    const early = await sliding.admit("a");
    assert.deepEqual([early.admitted, early.retryIn], [false, 0.001]);
    time.advance(0.001);
    assert.equal((await sliding.admit("a")).admitted, true);
  }));

test("ValkeyWindow leaves no mark of a rejected request", () =>
  withValkey(async (_, connection) => {
    const sliding = windowOf(connection, { limit: 2, window: 60_000 });
    for (let sent = 0; sent < 2; sent++) await sliding.admit("a");
    const key = "jwks-server:limit:test:a";
    const state = async () => [
      await connection.send("LRANGE", key, "0", "-1"),
      await connection.send("PEXPIRETIME", key),
    ];
    const before = await state();
    for (let tried = 0; tried < 10; tried++) {
      assert.equal((await sliding.admit("a")).admitted, false);
    }
    assert.deepEqual(await state(), before);
  }));

test("ValkeyWindow holds a client no longer than its newest admission counts", () =>
  withValkey(async (_, connection) => {
    const key = "jwks-server:limit:test:a";
    const sliding = windowOf(connection, { limit: 2, window: 30_000 });
    await sliding.admit("a");
    await connection.send("PEXPIRE", key, "1000");
    await sliding.admit("a");
    const left = Number(await connection.send("PTTL", key));
    assert.ok(left > 29_000 && left <= 30_001, `${left}`);
    const [newest] = await connection.send("LRANGE", key, "-1", "-1") as string[];
    const end = Number(await connection.send("PEXPIRETIME", key)) * 1000;
    assert.ok(end >= Number(newest) + 30_000_000, "it would end before its newest is over");
  }));

test("ValkeyWindow has one key for a client and a name, and nothing else", () =>
  withValkey(async (_, connection) => {
    await windowOf(connection, { limit: 2, window: 60_000, name: "auth" }).admit("2001:db8::/64");
    await windowOf(connection, { limit: 2, window: 60_000, name: "register" }).admit("192.0.2.1");
    assert.deepEqual((await connection.send("KEYS", "*") as string[]).sort(), [
      "jwks-server:limit:auth:2001:db8::/64",
      "jwks-server:limit:register:192.0.2.1",
    ]);
  }));

test("ValkeyWindow goes on when the server has forgotten the script", () =>
  withValkey(async (_, connection) => {
    const sliding = windowOf(connection, { limit: 3, window: 60_000 });
    for (const remaining of [2, 1, 0]) {
      assert.deepEqual((await sliding.admit("a")).remaining, remaining);
      await connection.send("SCRIPT", "FLUSH");
    }
  }));

test("ValkeyWindow takes back the very admission, and none that came after it", () =>
  withValkey(async (_, connection) => {
    const time = new MovedTime(connection);
    const sliding = windowOf(time, { limit: 2, window: 60_000 });
    const first = await sliding.admit("a");
    time.advance(1000);
    await sliding.admit("a");
    await sliding.withdraw("a", first);
    await sliding.withdraw("a", first);
    const next = await sliding.admit("a");
    assert.deepEqual([next.admitted, next.remaining, next.resetIn], [true, 0, 60_000]);
  }));

test("ValkeyWindow keeps nobody out for longer than a window when the clock is set back", () =>
  withValkey(async (_, connection) => {
    const time = new MovedTime(connection);
    const sliding = windowOf(time, { limit: 2, window: 60_000 });
    await sliding.admit("a");
    time.advance(10_000);
    await sliding.admit("a");
    time.advance(-3_600_000);
    const after = await sliding.admit("a");
    assert.deepEqual([after.admitted, after.retryIn], [false, 60_000]);
    time.advance(59_999);
    assert.equal((await sliding.admit("a")).admitted, false);
    time.advance(1);
    assert.equal((await sliding.admit("a")).admitted, true);
  }));

test("ValkeyWindow counts by the limit of whoever asks, while servers are given another", () =>
  withValkey(async (_, connection) => {
    const time = new MovedTime(connection);
    const [old, next] = [5, 2].map((limit) => windowOf(time, { limit, window: 60_000 }));
    for (let sent = 0; sent < 4; sent++) {
      await old!.admit("a");
      time.advance(10_000);
    }
    const refused = await next!.admit("a");
    assert.deepEqual(refused, { admitted: false, remaining: 0, retryIn: 40_000, resetIn: 20_000 });
    time.advance(40_000);
    assert.equal((await next!.admit("a")).admitted, true);
  }));

test("ValkeyWindow lets a hundred thousand admissions go at once, in a few steps", () =>
  withValkey(async (_, connection) => {
    const time = new MovedTime(connection);
    const [limit, window] = [100_000, 60_000];
    const sliding = windowOf(time, { limit, window });
    await sliding.admit("a");
    const fill = `local t = redis.call("LINDEX", KEYS[1], 0)
      for i = 2, tonumber(ARGV[1]) do redis.call("RPUSH", KEYS[1], t) end`;
    await connection.send("EVAL", fill, "1", "jwks-server:limit:test:a", String(limit));
    assert.equal((await sliding.admit("a")).admitted, false);
    time.advance(window);
    await connection.send("CONFIG", "RESETSTAT");
    assert.equal((await sliding.admit("a")).remaining, limit - 1);
    const told = String(await connection.send("INFO", "commandstats"));
    const calls = [...told.matchAll(/:calls=(\d+)/g)].map(([, number]) => Number(number));
    const all = calls.reduce((sum, number) => sum + number);
    assert.ok(all < 50, `the server did ${all} things, one after the other`);
  }));

test("ValkeyWindow refuses to take an answer for a decision that is none", async () => {
  const answers = [null, "OK", [1, 2, 3], [1, 2, 3, 4, 5], ["1", 2, 3, 4, "5"], [
    1,
    2,
    3,
    4,
    "5",
    6,
  ]];
  for (const answer of answers) {
    const connection = { run: () => Promise.resolve(answer), send: () => Promise.resolve("OK") };
    await assert.rejects(
      windowOf(connection, { limit: 1, window: 1 }).admit("a"),
      /not understood/,
    );
  }
});
