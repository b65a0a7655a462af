/** How many requests several replicas admit together. */

import assert from "node:assert/strict";
import { findRedis, RedisServer } from "../servers/redis.ts";
import { admittedOf, LIMITED } from "./bursts.ts";
import { ENGINES } from "./engines.ts";
import { form } from "./form.ts";
import { Replicas } from "./replicas.ts";

const REPLICAS = 4;
const REQUESTS = 100;
const ROUNDS = form(5, 50);

const redis = await findRedis("how replicas share the rate limit");
const [engine] = ENGINES;

Deno.test({
  name: `${REPLICAS} replicas with a Valkey admit as many of ${REQUESTS} requests as one would`,
  ignore: redis === undefined,
}, async () => {
  await using valkey = await RedisServer.launch(redis!);
  await using replicas = await Replicas.start(engine!, REPLICAS, {
    ...LIMITED,
    REDIS_URL: valkey.url,
  });
  for (let round = 0; round < ROUNDS; round++) {
    assert.equal(await admittedOf(replicas.servers, REQUESTS), 10);
  }
});

Deno.test(`${REPLICAS} replicas that share nothing admit ten times ${REPLICAS} of ${REQUESTS} requests`, async () => {
  await using replicas = await Replicas.start(engine!, REPLICAS, LIMITED);
  assert.equal(await admittedOf(replicas.servers, REQUESTS), 10 * REPLICAS);
});
