/** The parts of example compose-replicas together, as far as a machine without Docker can run them. */

import assert from "node:assert/strict";
import { Client } from "../blackbox/client.ts";
import { Directory, freePort, Server } from "../blackbox/harness.ts";
import { NGINX_REPLICAS, Proxy } from "../blackbox/proxies.ts";
import type { Environment } from "../blackbox/process.ts";
import { publishedKids, verify } from "../blackbox/commands.ts";
import { hasPostgres } from "../servers/postgres.ts";
import { findRedis } from "../servers/redis.ts";
import {
  ComposedPostgres,
  ComposedValkey,
  makeSecrets,
  SECRETS,
  services,
} from "./compose_parts.ts";
import { canUse } from "./tool.ts";

const WHAT = "a test of example compose-replicas";
const redis = await findRedis(WHAT);
const isThere = redis !== undefined && await hasPostgres(WHAT) &&
  await canUse(NGINX_REPLICAS.version, "compose-replicas") &&
  await canUse(["openssl", "version"], "compose-replicas");

/** Requests that a client sends at once, of which the default limit admits ten. */
const [REQUESTS, LIMIT] = [30, 10];

interface Parts {
  secrets: Record<string, string>;
  directory: Directory;
  postgres: ComposedPostgres;
  valkey: ComposedValkey;
}

/** The environment that the example gives a server, where the parts are elsewhere. */
async function environmentOf(parts: Parts): Promise<Environment> {
  const { secrets, directory, postgres, valkey } = parts;
  const { path } = directory;
  const socket = encodeURIComponent(postgres.socketDirectory);
  const database = secrets["database_url"]!.replace(
    "%2Frun%2Fpostgresql",
    `${socket}:${postgres.port}`,
  );
  await Deno.writeTextFile(`${path}/database_url`, database);
  const limits = secrets["redis_url"]!.replace("valkey:6379", `127.0.0.1:${valkey.port}`);
  await Deno.writeTextFile(`${path}/redis_url`, limits);
  const own: Environment = services["jwks-server-1"].environment;
  const elsewhere: Environment = {
    HOST: "127.0.0.1",
    PORT: "0",
    METRICS_ADDRESS: "127.0.0.1:0",
    REGISTRATION: "open",
    TRUSTED_PROXIES: "127.0.0.1",
    NOT_MY_KEY_FILE: `${path}/secrets/not_my_key`,
    DATABASE_FILE: `${path}/database_url`,
    REDIS_URL_FILE: `${path}/redis_url`,
  };
  const pairs = Object.entries(own).map(([name, value]) => [name, elsewhere[name] ?? value]);
  return { ...Object.fromEntries(pairs), RATE_WINDOW: "1h" };
}

Deno.test({
  name: "the parts of example compose-replicas issue tokens together, and count them together",
  ignore: !isThere,
}, async () => {
  await using directory = new Directory();
  const secrets = await makeSecrets(directory);
  assert.deepEqual(Object.keys(secrets).sort(), SECRETS);
  await using postgres = await ComposedPostgres.start(secrets);
  await assert.rejects(postgres.psql(["-c", "SELECT"]), /no password supplied/);
  await using valkey = await ComposedValkey.start(redis!, directory);
  const env = await environmentOf({ secrets, directory, postgres, valkey });
  const servers = await Promise.all([Server.start({ env }), Server.start({ env })]);
  await using one = servers[0];
  await using two = servers[1];
  await using proxy = await Proxy.start(NGINX_REPLICAS, {
    servers: [one.port, two.port],
    proxy: freePort(),
  });
  using client = new Client(proxy.url, "127.0.5.1");
  using other = new Client(proxy.url, "127.0.5.2");
  const user = await client.register();
  assert.deepEqual(await publishedKids(one), await publishedKids(two));

  const answers = await Promise.all(Array.from({ length: REQUESTS }, () => client.login(user)));
  const issued = answers.filter(({ status }) => status === 200);
  assert.equal(issued.length, LIMIT);
  assert.equal(answers.filter(({ status }) => status === 429).length, REQUESTS - LIMIT);
  assert.equal((await other.login(user)).status, 200);
  for (const { json: { token } } of issued) {
    await verify(one, token);
    await verify(two, token);
  }
});
