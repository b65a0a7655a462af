import assert from "node:assert/strict";
import { findRedis, RedisServer } from "../servers/redis.ts";
import { eventually, Server } from "./harness.ts";

const program = await findRedis("servers that share their limit");
const ignore = program === undefined;

/** A limit that is not over before the test is. */
const LIMIT = { RATE_LIMIT: "10", RATE_WINDOW: "1h" };

async function isTold(server: Server, message: string): Promise<void> {
  await eventually(message, () => server.stderr.includes(message) || undefined);
}

Deno.test({
  name: "two servers admit together what one admits alone, and end when they are told",
  ignore,
  async fn() {
    await using redis = await RedisServer.launch(program!, { password: "hunter2hunter2" });
    const env = { ...LIMIT, REDIS_URL: redis.url };
    await using one = await Server.start({ env });
    await using other = await Server.start({ env });
    for (const server of [one, other]) await isTold(server, "the rate limit is shared");
    const answers = await Promise.all(
      Array.from(
        { length: 40 },
        (_, sent) =>
          [one, other][sent % 2]!.post("/auth", { username: `user-${sent}`, password: "wrong" }),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [...Array(10).fill(401), ...Array(30).fill(429)]);
    for (const server of [one, other]) {
      const { code, stderr } = await server.stop();
      assert.equal(code, 0);
      assert.doesNotMatch(stderr, /hunter2/);
    }
  },
});

Deno.test({
  name: "a server starts without the Valkey that it shares its limit on, counts alone, and ends",
  ignore,
  async fn() {
    await using redis = await RedisServer.launch(program!);
    const directory = await Deno.makeTempDir();
    await Deno.writeTextFile(`${directory}/url`, `${redis.url}\n`);
    await redis.stop();
    await using server = await Server.start({
      env: { ...LIMIT, REDIS_URL_FILE: `${directory}/url` },
    });
    await isTold(server, "the rate limit is not shared: this server counts alone");
    const answer = await server.post("/auth", { username: "nobody", password: "wrong" });
    assert.equal(answer.status, 401);
    await redis.start();
    await isTold(server, "the rate limit is shared");
    await redis.stop();
    assert.equal((await server.stop()).code, 0);
    await Deno.remove(directory, { recursive: true });
  },
});
