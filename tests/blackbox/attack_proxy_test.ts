/** Who a client is, when it says to be another; and what a limit is worth then. */

import assert from "node:assert/strict";
import type { Client } from "./client.ts";
import { converse, request } from "./conversation.ts";
import { Server } from "./harness.ts";
import { memory, MIB } from "./memory.ts";
import { assertSafe } from "./safe_answer.ts";

const LIMIT = 4;
/** Who nobody is, by another name each time: a name has a limit of its own. */
function stranger() {
  return { username: `user-${crypto.randomUUID()}`, password: "nothing" };
}

/** A window that does not end while the tests run. */
const env = {
  SIGNING_ALG: "EdDSA",
  RATE_LIMIT: String(LIMIT),
  RATE_WINDOW: "1h",
  TRUSTED_PROXIES: "127.0.0.1,10.0.0.0/8,2001:db8:ffff::/48",
};

let server: Server;
Deno.test.beforeAll(async () => void (server = await Server.start({ env })));
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

/** The statuses of so many logins, one after the other, each with the next of these headers. */
async function statuses(client: Client, headers: Record<string, string>[]): Promise<number[]> {
  const found: number[] = [];
  for (const header of headers) {
    const answer = await client.post("/auth", stranger(), header);
    assertSafe(answer);
    found.push(answer.status);
  }
  return found;
}

function forwarded(addresses: readonly string[]): Record<string, string>[] {
  return addresses.map((address) => ({ "x-forwarded-for": address }));
}

/** What `count` requests of one client get. */
function ofOneClient(count: number): number[] {
  return Array.from({ length: count }, (_, place) => place < LIMIT ? 401 : 429);
}

function logged(): string[] {
  return server.query<{ request_ip: string }>("SELECT DISTINCT request_ip FROM auth_logs")
    .map((row) => row.request_ip);
}

Deno.test("no header makes another client of who comes without a trusted proxy", async () => {
  const names = ["x-forwarded-for", "x-real-ip", "forwarded", "client-ip", "true-client-ip"];
  const more = ["cf-connecting-ip", "x-client-ip", "x-cluster-client-ip", "x-forwarded", "via"];
  const headers = [...names, ...more].map((name, place) => ({
    [name]: name === "forwarded" ? `for=203.0.113.${place}` : `203.0.113.${place}`,
  }));
  using stranger = server.from("127.0.3.1");
  assert.deepEqual(await statuses(stranger, headers), ofOneClient(headers.length));
  assert.deepEqual(logged().filter((ip) => ip.startsWith("203.0.113.")), []);
});

Deno.test("a trusted proxy tells of clients by X-Forwarded-For alone", async () => {
  const other = { "x-real-ip": "203.0.113.99", "forwarded": "for=203.0.113.98" };
  const headers = Array.from({ length: LIMIT + 2 }, (_, place) => ({
    ...other,
    "x-forwarded-for": "198.51.100.1",
    "x-real-ip": `203.0.113.${place}`,
  }));
  assert.deepEqual(await statuses(server, headers), ofOneClient(LIMIT + 2));
});

Deno.test("what a client writes before the proxy's word changes nothing", async () => {
  const claims = [
    "1.2.3.4",
    "10.1.1.1",
    "127.0.0.1",
    "nonsense",
    "",
    "2001:db8::9",
    "unknown",
    "'--",
  ];
  const headers = forwarded(claims.map((claim) => `${claim}, 198.51.100.2`));
  assert.deepEqual(await statuses(server, headers), ofOneClient(headers.length));
  const chained = forwarded(claims.map((claim) => `${claim},198.51.100.3, 10.7.7.7,10.8.8.8`));
  assert.deepEqual(await statuses(server, chained), ofOneClient(chained.length));
});

Deno.test("addresses of one /64 are one client, and those of the next are another", async () => {
  const within = Array.from({ length: 8 }, (_, place) => `2001:db8:1:2:${place}::${place + 1}`);
  assert.deepEqual(await statuses(server, forwarded(within)), ofOneClient(8));
  const spelt = [
    "2001:DB8:1:3::1",
    "2001:0db8:0001:0003:0::1",
    "[2001:db8:1:3::2]",
    "[2001:db8:1:3::2]:1",
  ];
  const more = [
    "[2001:db8:1:3::2]:65535",
    "2001:db8:1:3:ffff:ffff:ffff:ffff",
    "2001:db8:1:3::1.2.3.4",
  ];
  assert.deepEqual(await statuses(server, forwarded([...spelt, ...more])), ofOneClient(7));
});

Deno.test("an IPv4 address is one client, however it is written", async () => {
  const spelt = ["203.0.113.7", "::ffff:203.0.113.7", "::FFFF:cb00:7107", "203.0.113.7:1234"];
  const more = [
    "0:0:0:0:0:ffff:203.0.113.7",
    "[::ffff:203.0.113.7]:80",
    " 203.0.113.7 ",
    "203.0.113.7:1",
    "[203.0.113.7]",
  ];
  assert.deepEqual(await statuses(server, forwarded([...spelt, ...more])), ofOneClient(9));
});

Deno.test("what is no address is the proxy itself, so that no spelling is a new client", async () => {
  const ports = [
    "203.0.113.8:99999999",
    "203.0.113.8:",
    "2001:db8::1%eth0",
    "fe80::1%1",
  ];
  const numbers = [
    "3405803784",
    "0xcb.0.0x71.8",
    "0313.0.0161.010",
    "203.0.28936",
    "203.0.113.008",
  ];
  const others = [
    "203.0.113.256",
    "1.2.3",
    "::1::",
    "2001:db8:::1",
    "\u0662.1.1.1",
    "localhost",
    "a".repeat(3000),
  ];
  const headers = [...ports, ...numbers, ...others].map((text) => encodeURIComponent(text));
  const raw = [...ports, ...numbers, ...others.filter((text) => /^[ -~]*$/.test(text))];
  const all = forwarded([...headers, ...raw]);
  assert.deepEqual(await statuses(server, all), ofOneClient(all.length));
});

Deno.test("the routes that take credentials share one limit, and each path spells them once", async () => {
  using client = server.from("127.0.3.2");
  const paths = [
    "/auth",
    "/token",
    "/introspect",
    "/password",
    "/auth?a=b",
    "/token?",
    "/auth?expired=true",
  ];
  const found: number[] = [];
  for (const path of paths) found.push((await client.post(path, stranger())).status);
  assert.deepEqual(found.map((status) => status === 429), [
    false,
    false,
    false,
    false,
    true,
    true,
    true,
  ]);
  for (const path of ["/%61uth", "//auth", "/auth/"]) {
    assert.equal((await client.post(path, stranger())).status, 404);
  }
});

/** Has 5,000 clients ask for something that is refused for its type: it is counted all the same. */
async function manyClients(network: string): Promise<void> {
  const requests = Array.from(
    { length: 5000 },
    (_, client) =>
      "POST /auth HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n" +
      `X-Forwarded-For: ${network}.${client >> 8}.${client & 255}\r\n\r\n`,
  );
  const end = request("GET /nothing");
  const { answers } = await converse(server.url, requests.join("") + end, { patience: 60_000 });
  assert.deepEqual(answers.map(({ status }) => status), [...Array(5000).fill(415), 404]);
}

Deno.test("thousands of clients more let none in again, and cost little memory", async () => {
  const first = forwarded(Array(LIMIT).fill("192.0.2.1"));
  assert.deepEqual(await statuses(server, first), ofOneClient(LIMIT));
  await manyClients("192.88"); // what so many requests cost, whoever sends them
  const before = await memory(server.pid, "VmRSS");
  await manyClients("192.89");
  const grown = await memory(server.pid, "VmRSS") - before;
  assert.ok(grown < 64 * MIB, `${grown} KiB`);
  assert.deepEqual(await statuses(server, first), Array(LIMIT).fill(429));
});
