/** nginx in front of two servers, one of which has a fault. */

import assert from "node:assert/strict";
import { Client, type Credentials } from "../blackbox/client.ts";
import { startSettled, WITH_SECRET } from "../blackbox/commands.ts";
import { eventually, freePort, Server, UNLIMITED } from "../blackbox/harness.ts";
import { NGINX_REPLICAS, Proxy } from "../blackbox/proxies.ts";
import { type Fault, FaultyServer } from "./faulty_server.ts";
import { canUse } from "./tool.ts";

const isThere = await canUse(NGINX_REPLICAS.version, "nginx-replicas");

const env = { ...WITH_SECRET, ...UNLIMITED, TRUSTED_PROXIES: "127.0.0.1", SIGNING_ALG: "EdDSA" };

/** How many requests are sent one after the other: nginx gives them to the servers in turns. */
const REQUESTS = 4;

/** How long nginx waits for the keys from one server, in milliseconds. */
const PATIENCE = 2000;

interface Parts {
  server: Server;
  user: Credentials;
}

async function withServer(body: (parts: Parts) => Promise<void>): Promise<void> {
  await using server = await startSettled({ env });
  await body({ server, user: await server.register() });
}

/** nginx in front of what listens on these ports, in their order. */
function balanced(...servers: number[]): Promise<Proxy> {
  return Proxy.start(NGINX_REPLICAS, { servers, proxy: freePort() });
}

/** The statuses of so many answers, one after the other. */
async function statuses(ask: () => Promise<{ status: number }>): Promise<number[]> {
  const found = [];
  for (let count = 0; count < REQUESTS; count++) found.push((await ask()).status);
  return found;
}

/** The rows of the authentication log. */
function logins({ server }: Parts): number {
  return server.query<{ count: number }>("SELECT count(*) AS count FROM auth_logs")[0]!.count;
}

Deno.test({
  name: "nginx gives the requests to both servers, and all to one when the other is gone",
  ignore: !isThere,
}, () =>
  withServer(async ({ server, user }) => {
    const other = await Server.start({ env, directory: server.directory });
    await using proxy = await balanced(server.port, other.port);
    const client = new Client(proxy.url);
    const well = Array(REQUESTS).fill(200);
    assert.deepEqual(await statuses(() => client.login(user)), well);
    for (const own of [server, other]) {
      await eventually("its log tells of a token", () =>
        own.stderr.includes('"a token was issued"') || undefined);
    }
    await other.kill();
    assert.deepEqual(
      await statuses(() =>
        client.jwks()
      ),
      well,
    );
    assert.deepEqual(await statuses(() => client.login(user)), well);
  }));

const FAULTS: [what: string, fault: Fault, status: number][] = [
  ["closes connections", "closes", 502],
  ["answers 500", { status: 500 }, 500],
  ["answers 503", { status: 503 }, 503],
];

for (const [what, fault, status] of FAULTS) {
  Deno.test({
    name: `when a server ${what}, nginx asks the other for the keys, and sends no POST again`,
    ignore: !isThere,
  }, () =>
    withServer(async (parts) => {
      const { server, user } = parts;
      await using faulty = new FaultyServer(fault);
      await using keys = await balanced(faulty.port, server.port);
      const { text } = await server.jwks();
      assert.equal((await new Client(keys.url).jwks()).text, text);
      assert.deepEqual(faulty.requests, ["GET /.well-known/jwks.json HTTP/1.1"]);
      await using proxy = await balanced(faulty.port, server.port);
      const client = new Client(proxy.url);
      const answered = await statuses(() => client.login(user));
      assert.deepEqual(answered, [status, 200, status, 200]);
      assert.deepEqual(faulty.requests.slice(1), Array(2).fill("POST /auth HTTP/1.1"));
      assert.equal(logins(parts), 2);
    }));
}

Deno.test({
  name: "when a server hangs, nginx asks the other for the keys in time",
  ignore: !isThere,
}, () =>
  withServer(async ({ server }) => {
    await using faulty = new FaultyServer("hangs");
    await using proxy = await balanced(faulty.port, server.port);
    const start = performance.now();
    assert.equal((await new Client(proxy.url).jwks()).status, 200);
    assert.ok(performance.now() - start < 2 * PATIENCE);
    assert.equal(faulty.requests.length, 1);
  }));
