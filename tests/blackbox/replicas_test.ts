/** Two servers on one PostgreSQL and one Valkey, as their clients see them. */

import assert from "node:assert/strict";
import { within } from "../../lib/base/deadline.ts";
import { admittedOf } from "../replicas/bursts.ts";
import { Site } from "../replicas/site.ts";
import { hasPostgres } from "../servers/postgres.ts";
import { findRedis, RedisServer } from "../servers/redis.ts";
import { kidOf, verify } from "./commands.ts";
import { eventually, type Server } from "./harness.ts";

/** Within which time a request is answered whose database stands still, in milliseconds. */
const PATIENCE = 3000;

/** Those of one test's user are fewer, and a burst's window does not end meanwhile. */
const LIMIT = { RATE_LIMIT: "20", RATE_WINDOW: "60s" };

const what = "two servers on one database";
const redis = await findRedis(what);
const isPossible = await hasPostgres(what) && redis !== undefined;

let site: Site;
let servers: readonly [Server, Server];

if (isPossible) {
  const started = new AsyncDisposableStack();
  Deno.test.beforeAll(async () => {
    const valkey = started.use(await RedisServer.launch(redis!));
    site = started.use(await Site.start({ env: { ...LIMIT, REDIS_URL: valkey.url } }));
    servers = site.replicas.servers as [Server, Server];
  });
  Deno.test.afterAll(() => started.disposeAsync());
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !isPossible, fn });
}

test("who registered at one server logs in at the other, whose tokens verify at the first", async () => {
  const [one, other] = servers;
  const user = await one.register();
  await verify(one, await other.token(user));
  assert.equal((await one.login({ ...user, password: "wrong" })).status, 401);
});

test("a key that is revoked signs at no server from then on", async () => {
  const [one, other] = servers;
  const user = await one.register();
  const leaked = kidOf(await one.token(user));
  assert.equal(kidOf(await other.token(user)), leaked);
  await (await site.replicas.operator()).revoke(leaked);
  for (const server of servers) assert.notEqual(kidOf(await server.token(user)), leaked);
});

test("the servers admit together what one would", async () => {
  assert.equal(await admittedOf(servers, 50), 20);
});

test("while the database stands still logins are refused in time, the keys are published, and then all is well", async () => {
  const [one] = servers;
  const user = await one.register();
  const before = await one.jwks();
  await site.postgres.freeze();
  try {
    const refused = Promise.all(servers.map((server) => server.login(user)));
    assert.ok(await within(PATIENCE, refused), "logins are not answered in time");
    for (const { status, headers } of await refused) {
      assert.deepEqual([status, headers.get("retry-after")], [503, "1"]);
    }
    assert.deepEqual((await one.jwks()).bytes, before.bytes);
    assert.equal((await one.request("/healthz")).status, 200);
    assert.equal((await one.request("/readyz")).status, 503);
  } finally {
    await site.postgres.thaw();
  }
  for (const server of servers) {
    await eventually("the server is ready", async () => {
      return (await server.request("/readyz")).status === 200 || undefined;
    });
    await server.token(user);
  }
});
