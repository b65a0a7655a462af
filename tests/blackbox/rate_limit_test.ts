import assert from "node:assert/strict";
import type { Answer, Client } from "./client.ts";
import { Server } from "./harness.ts";

/** Who nobody is, by another name each time: a name has a limit of its own. */
function stranger() {
  return { username: `user-${crypto.randomUUID()}`, password: "nothing" };
}

let server: Server;
Deno.test.beforeAll(async () => void (server = await Server.start()));
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

/** So many requests of a client at the same moment. */
function burst(client: Client, count: number, path = "/auth"): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, () => client.post(path, stranger())));
}

function statuses(answers: readonly Answer[]): number[] {
  return answers.map(({ status }) => status).sort();
}

function logRows(ip: string): number {
  return server.query("SELECT id FROM auth_logs WHERE request_ip = ?", ip).length;
}

Deno.test("ten requests of a client are admitted in a second, and the eleventh is not", async () => {
  using client = server.from("127.0.2.1");
  const answers = await burst(client, 11);
  assert.deepEqual(statuses(answers), [...Array(10).fill(401), 429]);
});

Deno.test("a rejected request is told when to come again, and then is admitted", async () => {
  using client = server.from("127.0.2.2");
  const rejected = (await burst(client, 11)).find(({ status }) => status === 429)!;
  assert.equal(rejected.json.error, "rate_limited");
  assert.equal(rejected.headers.get("cache-control"), "no-store");
  assert.equal(rejected.headers.get("ratelimit-policy"), '"auth";q=10;w=1');
  assert.equal(rejected.headers.get("ratelimit"), '"auth";r=0;t=1');
  assert.equal(rejected.headers.get("retry-after"), "1");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal((await client.post("/auth", stranger())).status, 401);
});

Deno.test("an admitted request is told how many more would be", async () => {
  using client = server.from("127.0.2.3");
  const remaining = (await burst(client, 10)).map(({ headers }) => {
    const [, r] = /^"auth";r=(\d+);t=1$/.exec(headers.get("ratelimit")!)!;
    return Number(r);
  });
  assert.deepEqual(remaining.sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("a rejected request does not make the client wait for longer", async () => {
  using client = server.from("127.0.2.4");
  await burst(client, 10);
  for (const end = Date.now() + 700; Date.now() < end;) await client.post("/auth", stranger());
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal((await client.post("/auth", stranger())).status, 401);
});

Deno.test("another client is not affected", async () => {
  using one = server.from("127.0.2.5");
  using other = server.from("127.0.2.6");
  const [busy, calm] = await Promise.all([burst(one, 30), burst(other, 10)]);
  assert.deepEqual(statuses(busy), [...Array(10).fill(401), ...Array(20).fill(429)]);
  assert.deepEqual(statuses(calm), Array(10).fill(401));
});

Deno.test("a rejected request leaves no row in auth_logs", async () => {
  using client = server.from("127.0.2.7");
  await burst(client, 25);
  assert.equal(logRows("127.0.2.7"), 10);
});

Deno.test("registration is limited by itself", async () => {
  using client = server.from("127.0.2.8");
  await burst(client, 11);
  const registrations = await burst(client, 11, "/register");
  assert.deepEqual(statuses(registrations), [...Array(10).fill(400), 429]);
  assert.equal(registrations[0]!.headers.get("ratelimit-policy"), '"register";q=10;w=1');
});

Deno.test("the JWKS is not limited", async () => {
  using client = server.from("127.0.2.9");
  const answers = await Promise.all(Array.from({ length: 50 }, () => client.jwks()));
  assert.deepEqual(statuses(answers), Array(50).fill(200));
});

Deno.test("X-Forwarded-For neither evades the limit nor enters the record by default", async () => {
  using client = server.from("127.0.2.10");
  const answers = await Promise.all(Array.from({ length: 15 }, (_, i) => {
    return client.post("/auth", stranger(), { "x-forwarded-for": `203.0.113.${i}` });
  }));
  assert.deepEqual(statuses(answers), [...Array(10).fill(401), ...Array(5).fill(429)]);
  assert.equal(logRows("127.0.2.10"), 10);
  assert.deepEqual(
    server.query("SELECT id FROM auth_logs WHERE request_ip LIKE '203.0.113.%'"),
    [],
  );
});

Deno.test("X-Forwarded-For is believed from a trusted proxy, from the right, and from nobody else", async () => {
  await using proxied = await Server.start({ env: { TRUSTED_PROXIES: "127.0.0.1,10.0.0.0/8" } });
  const ips = () =>
    proxied.query<{ request_ip: string }>("SELECT request_ip FROM auth_logs ORDER BY id")
      .map(({ request_ip }) => request_ip);
  const via = (client: Client, forwarded: string) =>
    client.post("/auth", stranger(), { "x-forwarded-for": forwarded });
  await via(proxied, "203.0.113.9");
  await via(proxied, "198.51.100.7, 203.0.113.8");
  await via(proxied, "203.0.113.7, 10.1.2.3");
  await via(proxied, "2001:DB8::1");
  await via(proxied, "nonsense");
  using other = proxied.from("127.0.0.2");
  await via(other, "203.0.113.6");
  assert.deepEqual(ips(), [
    "203.0.113.9",
    "203.0.113.8",
    "203.0.113.7",
    "2001:db8::1",
    "127.0.0.1",
    "127.0.0.2",
  ]);

  const flood = Array.from({ length: 11 }, () => via(proxied, "203.0.113.5"));
  assert.deepEqual(statuses(await Promise.all(flood)), [...Array(10).fill(401), 429]);
  assert.equal((await via(proxied, "203.0.113.4")).status, 401);
});
