/** nginx in front of two servers, one of which has a fault. */

import assert from "node:assert/strict";
import { Client, type Credentials } from "../blackbox/client.ts";
import { startSettled, WITH_SECRET } from "../blackbox/commands.ts";
import { Directory, eventually, freePort, Server, UNLIMITED } from "../blackbox/harness.ts";
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

/** What is wrong with a server, and what clients see of it and of one that is well. */
interface Case {
  what: string;
  fault: Fault;
  /** The statuses of logins. */
  logins: number[];
  /** That of a registration that comes to it. */
  registration: number;
}

const CASES: Case[] = [
  { what: "closes connections", fault: "closes", logins: [200, 200, 200, 200], registration: 502 },
  { what: "hangs", fault: "hangs", logins: [200, 200, 200, 200], registration: 504 },
  ...[500, 503].map((status): Case => ({
    what: `answers ${status}`,
    fault: { status },
    logins: [status, 200, status, 200],
    registration: status,
  })),
];

for (const { what, fault, logins: expected, registration } of CASES) {
  Deno.test({
    name: `when a server ${what}, nginx asks the other for the keys, and registers nobody again`,
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
      assert.deepEqual(await statuses(() => client.login(user)), expected);
      const failed = expected.filter((status) => status !== 200).length;
      const isMarked = failed === 0;
      assert.deepEqual(
        faulty.requests.slice(1),
        Array(isMarked ? 1 : failed).fill("POST /auth HTTP/1.1"),
      );
      assert.equal(logins(parts), expected.length - failed);
      await using other = await balanced(faulty.port, server.port);
      const { status } = await new Client(other.url).post("/register", {
        username: "new",
        email: "new@example.com",
      });
      assert.equal(status, registration);
      assert.equal(server.query("SELECT * FROM users WHERE username = 'new'").length, 0);
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

for (const [fault, status] of [["closes", 502], ["hangs", 504]] as const) {
  Deno.test({
    name:
      `what nginx answers itself when every server ${fault} has the form of the server's errors`,
    ignore: !isThere,
  }, async () => {
    await using faulty = new FaultyServer(fault);
    await using proxy = await balanced(faulty.port);
    const answer = await new Client(proxy.url).post("/token", "{}");
    assert.deepEqual([answer.status, answer.json.error], [status, "overloaded"]);
    assert.equal(answer.headers.get("content-type"), "application/json");
    assert.equal(answer.headers.get("retry-after"), "1");
  });
}

/** How often a server is stopped and started again, each in its turn. */
const RESTARTS = 4;

/** Clients that log in, each as soon as it is answered. */
const CLIENTS = 3;

Deno.test({
  name: "while one server after the other is stopped and started again, nginx passes every login",
  ignore: !isThere,
}, async () => {
  await using directory = new Directory();
  const ports = [freePort(), freePort()];
  const start = (port: number) => startSettled({ env: { ...env, PORT: String(port) }, directory });
  await using running = new AsyncDisposableStack();
  const servers: Server[] = [];
  for (const port of ports) servers.push(running.use(await start(port)));
  await using proxy = await balanced(...ports);
  const client = new Client(proxy.url);
  const user = await client.register();
  const found = new Map<string, number>();
  let isOver = false;
  const loops = Array.from({ length: CLIENTS }, async () => {
    while (!isOver) {
      for (const { status, text } of [await client.login(user), await client.jwks()]) {
        const what = status === 200 ? "200" : `${status} ${text}`;
        found.set(what, (found.get(what) ?? 0) + 1);
      }
    }
  });
  try {
    for (let restart = 0; restart < RESTARTS; restart++) {
      const place = restart % servers.length;
      assert.equal((await servers[place]!.stop()).code, 0);
      servers[place] = running.use(await start(ports[place]!));
    }
  } finally {
    isOver = true;
    await Promise.all(loops);
  }
  assert.deepEqual([...found.keys()], ["200"], JSON.stringify([...found]));
});
