/** Replicas whose Valkey stops, stands still or starts anew, under load. */

import assert from "node:assert/strict";
import { Client } from "../blackbox/client.ts";
import { eventually, type Server } from "../blackbox/harness.ts";
import { findRedis, RedisServer } from "../servers/redis.ts";
import { admittedOf, burst, LIMITED } from "./bursts.ts";
import { ENGINES } from "./engines.ts";
import { form } from "./form.ts";
import { Load } from "./load.ts";
import { Replicas } from "./replicas.ts";
import { assertSound } from "./soundness.ts";
import { Verifiers } from "./verifiers.ts";

const REPLICAS = 2;

/** For how long a Valkey stands still, in milliseconds. */
const FROZEN = form(2000, 10_000);

/** For how long one is not there. */
const STOPPED = form(1000, 10_000);

/**
 * The longest that a login may take meanwhile, in milliseconds: on a busy machine more than the tenth
 * of a second that a decision waits, and yet less than anything that waits for the Valkey itself.
 */
const PATIENCE = 1000;

/** The log's words. */
const LOST = "the rate limit is not shared";
const FOUND = "the rate limit is shared again";

const redis = await findRedis("how replicas do without their Valkey");
const [engine] = ENGINES;

interface Outage {
  begin(valkey: RedisServer): Promise<void> | void;
  end(valkey: RedisServer): Promise<void> | void;
  /** In milliseconds. */
  lasts: number;
}

const OUTAGES: Record<string, Outage> = {
  stops: {
    begin: (valkey) => valkey.stop(),
    end: (valkey) => valkey.start(),
    lasts: STOPPED,
  },
  "stands still": {
    begin: (valkey) => valkey.freeze(),
    end: (valkey) => valkey.thaw(),
    lasts: FROZEN,
  },
};

for (const [name, { begin, end, lasts }] of Object.entries(OUTAGES)) {
  Deno.test({
    name: `when the Valkey ${name}, replicas go on without a pause, and say so once`,
    ignore: redis === undefined,
  }, async () => {
    await using valkey = await RedisServer.launch(redis!);
    const env = { REDIS_URL: valkey.url, METRICS_ADDRESS: "127.0.0.1:0" };
    await using replicas = await Replicas.start(engine!, REPLICAS, env);
    const load = new Load(replicas);
    const verifiers = new Verifiers(replicas);
    await load.give(20);
    await begin(valkey);
    await Promise.all([load.give(20), pause(lasts)]);
    for (const server of replicas.servers) {
      assert.equal(await sampleOf(server, "jwks_limiter_shared"), 0);
      assert.ok(await sampleOf(server, "jwks_limiter_fallback_total") > 0);
    }
    await end(valkey);
    await sharedAgain(replicas.servers);
    await load.give(20);
    await load.stop();
    await verifiers.stop();
    await assertSound(replicas, load);
    const slowest = Math.max(...load.told.map(({ begun, ended }) => ended - begun));
    assert.ok(slowest < PATIENCE, `${slowest} ms`);
    for (const server of replicas.servers) {
      assert.deepEqual([count(server, LOST), count(server, FOUND)], [1, 1], server.stderr);
    }
  });
}

Deno.test({
  name: "while the Valkey stands still each replica admits as many requests as it would alone",
  ignore: redis === undefined,
}, async () => {
  await using valkey = await RedisServer.launch(redis!);
  const env = { ...LIMITED, REDIS_URL: valkey.url };
  await using replicas = await Replicas.start(engine!, REPLICAS, env);
  assert.equal(await admittedOf(replicas.servers, 40), 10);
  valkey.freeze();
  assert.equal(await admittedOf(replicas.servers, 40), 10 * REPLICAS);
  valkey.thaw();
  await sharedAgain(replicas.servers);
  assert.equal(await admittedOf(replicas.servers, 40), 10);
});

Deno.test({
  name: "with RATE_LIMIT_STRICT nothing is admitted that the Valkey has not decided",
  ignore: redis === undefined,
}, async () => {
  await using valkey = await RedisServer.launch(redis!);
  const env = { ...LIMITED, REDIS_URL: valkey.url, RATE_LIMIT_STRICT: "on" };
  await using replicas = await Replicas.start(engine!, REPLICAS, env);
  assert.equal(await admittedOf(replicas.servers, 40), 10);
  await valkey.stop();
  assert.deepEqual(new Set(await burst(replicas.servers, 40)), new Set([503]));
  for (const server of replicas.servers) assert.equal((await server.jwks()).status, 200);
  await valkey.start();
  await sharedAgain(replicas.servers);
  assert.equal(await admittedOf(replicas.servers, 40), 10);
});

async function sharedAgain(servers: readonly Server[]): Promise<void> {
  for (const server of servers) {
    await eventually("the limit is shared again", () => count(server, FOUND) > 0 || undefined);
  }
}

/** How often the log says something. */
function count(server: Server, what: string): number {
  return server.stderr.split(`"message":"${what}`).length - 1;
}

/** The value of a metric, from the listener whose address the log tells. */
async function sampleOf(server: Server, name: string): Promise<number> {
  const url = await eventually(
    "the metrics are served",
    () => /"url":"(http:[^"]+)\/metrics"/.exec(server.stderr)?.[1],
  );
  using client = new Client(url);
  const { text } = await client.request("/metrics");
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)![1]);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
