import assert from "node:assert/strict";
import { isDomainError } from "../../../lib/base/errors.ts";
import type { Admission } from "../../../lib/limits/limiter.ts";
import { SlidingWindow } from "../../../lib/limits/sliding_window.ts";
import { SharedWindow } from "../../../lib/limits/valkey/shared_window.ts";
import { Sharing } from "../../../lib/limits/valkey/sharing.ts";
import type { ValkeyWindow } from "../../../lib/limits/valkey/valkey_window.ts";
import { failureOf, recordingLog } from "../../support.ts";

const RULE = { limit: 3, window: 60_000 };
const TICKET = "1";
const ADMITTED: Admission = {
  admitted: true,
  remaining: 2,
  retryIn: 0,
  resetIn: 60_000,
  ticket: TICKET,
};
const REJECTED: Admission = { admitted: false, remaining: 0, retryIn: 1, resetIn: 1 };

/** A shared limit over a server that does as it is told, and is asked after by hand. */
async function makeShared({ isStrict = false, answer = ADMITTED } = {}) {
  const { log, lines } = recordingLog();
  const server = { fault: undefined as Error | undefined, asked: 0, withdrawn: [] as unknown[] };
  const ask = <Result>(result: Result): Promise<Result> => {
    server.asked++;
    return server.fault ? Promise.reject(server.fault) : Promise.resolve(result);
  };
  let isFrozen = false;
  const waitUnlessFrozen = async <Result>(result: Result) =>
    isFrozen ? await new Promise<never>(() => server.asked++) : await ask(result);
  const sharing = new Sharing({
    connection: { connect: () => Promise.resolve(), close() {} },
    probe: () => waitUnlessFrozen("OK"),
    interval: 1e9,
    server: "redis://cache.example",
    otherwise: "this server counts alone",
    log,
  });
  const shared = {
    ...RULE,
    admit: () => waitUnlessFrozen(answer),
    withdraw: (...withdrawn: unknown[]) => ask(void server.withdrawn.push(withdrawn)),
  } as unknown as ValkeyWindow;
  const own = isStrict ? undefined : new SlidingWindow({ ...RULE, now: () => 0 });
  const limiter = new SharedWindow({ shared, sharing, own });
  const freeze = (isFrom: boolean) => void (isFrozen = isFrom);
  await sharing.start();
  return {
    sharing,
    limiter,
    own,
    server,
    freeze,
    told: () => lines.map((line) => JSON.parse(line)),
    /** Asks after the server, as is done each interval. */
    probe: async () => {
      await sharing.stop();
      await sharing.start();
      await sharing.stop();
    },
    stop: () => sharing.stop(),
  };
}

Deno.test("SharedWindow answers what all servers together decide", async () => {
  const { limiter, sharing, stop } = await makeShared({ answer: REJECTED });
  assert.deepEqual(await limiter.admit("a"), REJECTED);
  assert.deepEqual([limiter.limit, limiter.window], [RULE.limit, RULE.window]);
  assert.deepEqual([sharing.isInForce, sharing.fallbacks], [true, 0]);
  await stop();
});

Deno.test("SharedWindow decides alone, at the full limit, from the first failure on", async () => {
  const { limiter, server, sharing, stop } = await makeShared();
  server.fault = new Error("Socket closed unexpectedly");
  const asked = server.asked;
  const all: Admission[] = [];
  for (let sent = 0; sent < 5; sent++) all.push(await limiter.admit("a"));
  assert.deepEqual(all.map(({ admitted }) => admitted), [true, true, true, false, false]);
  assert.equal(server.asked - asked, 1, "who waits for what has failed waits for nothing");
  assert.deepEqual([sharing.isInForce, sharing.fallbacks], [false, 5]);
  await stop();
});

Deno.test("SharedWindow counts here what it admitted when all decided, and nothing that was rejected", async () => {
  for (const [answer, left] of [[ADMITTED, 1], [REJECTED, 3]] as const) {
    const { limiter, server, stop } = await makeShared({ answer });
    for (let sent = 0; sent < 2; sent++) await limiter.admit("a");
    server.fault = new Error("Socket closed unexpectedly");
    assert.equal((await limiter.admit("a")).remaining, left - 1);
    await stop();
  }
});

Deno.test("SharedWindow takes back from where it was admitted, and waits for nothing", async () => {
  const { limiter, own, server, probe, stop } = await makeShared();
  const admission = await limiter.admit("a");
  limiter.withdraw("a", admission);
  assert.deepEqual(server.withdrawn, [["a", admission]]);
  assert.equal(own!.clients, 0);
  server.fault = new Error("Socket closed unexpectedly");
  const alone = await limiter.admit("a");
  server.fault = undefined;
  await probe();
  limiter.withdraw("a", alone);
  assert.equal(server.withdrawn.length, 1, "what all never admitted is not theirs to take back");
  assert.equal(own!.clients, 0);
  server.fault = new Error("Socket closed unexpectedly");
  limiter.withdraw("a", admission); // and nobody is told that it failed
  await stop();
});

Deno.test("SharedWindow refuses all instead, where nothing may be admitted that was not decided by all", async () => {
  const { limiter, server, sharing, probe, stop } = await makeShared({ isStrict: true });
  assert.equal((await limiter.admit("a")).admitted, true);
  server.fault = new Error("Socket closed unexpectedly");
  for (let sent = 0; sent < 2; sent++) {
    const error = await failureOf(() => limiter.admit("a"));
    assert.ok(isDomainError(error, "overloaded"));
    assert.equal(error.data.retryAfter, 1);
  }
  assert.equal(sharing.fallbacks, 2);
  server.fault = undefined;
  await probe();
  assert.equal((await limiter.admit("a")).admitted, true);
  await stop();
});

Deno.test("Sharing gives a server that stands still a tenth of a second, once", async () => {
  const { limiter, freeze, sharing, server, probe, stop } = await makeShared();
  freeze(true);
  const start = performance.now();
  const waiting = await Promise.all([1, 2].map(() => limiter.admit("a")));
  assert.ok(performance.now() - start >= 99, "it had its time");
  const asked = server.asked;
  waiting.push(await limiter.admit("a"));
  assert.deepEqual(waiting.map(({ admitted }) => admitted), [true, true, true]);
  assert.deepEqual([sharing.isInForce, server.asked - asked], [false, 0]);
  freeze(false);
  await probe();
  assert.equal(sharing.isInForce, true);
  await stop();
});

Deno.test("Sharing tells once that it fails and why, each new cause, and once that it works again", async () => {
  const { limiter, server, told, probe, stop } = await makeShared();
  server.fault = new Error("Socket closed unexpectedly");
  for (let sent = 0; sent < 3; sent++) await limiter.admit("a");
  await probe();
  server.fault = new TypeError("connect ECONNREFUSED 127.0.0.1:6379");
  await probe();
  server.fault = undefined;
  await probe();
  await probe();
  const [server_, alone] = [
    "redis://cache.example",
    "the rate limit is not shared: this server counts alone",
  ];
  assert.deepEqual(told().map(({ time: _, ...line }) => line), [
    { level: "info", message: "the rate limit is shared", server: server_ },
    { level: "warn", message: alone, server: server_, reason: "Socket closed unexpectedly" },
    { level: "info", message: "the rate limit is shared again", server: server_, fallbacks: 3 },
  ]);
  server.fault = new Error("Socket closed unexpectedly");
  await limiter.admit("a");
  server.fault = undefined;
  await probe();
  const [warning, again, ...others] = told().slice(3);
  assert.deepEqual([warning.level, again.fallbacks, others], ["warn", 1, []]);
  await stop();
});
