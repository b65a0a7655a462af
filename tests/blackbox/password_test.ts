import assert from "node:assert/strict";
import type { Client } from "./client.ts";
import { Directory, Server, UNLIMITED } from "./harness.ts";
import { memory, MIB } from "./memory.ts";

/** The memory of one Argon2id run at the default cost, in KiB. */
const HASH_MEMORY = 64 * MIB;

function hashOf(server: Server, username: string): string {
  const [row] = server.query<{ password_hash: string }>(
    "SELECT password_hash FROM users WHERE username = ?",
    username,
  );
  return row!.password_hash;
}

/** Attempts of so many clients at once, each with an address of its own. */
async function flood<Result>(
  server: Server,
  clients: number,
  attempt: (client: Client, i: number) => Promise<Result>,
): Promise<Result[]> {
  return await Promise.all(Array.from({ length: clients }, async (_, i) => {
    using client = server.from(`127.0.1.${i + 1}`);
    return await attempt(client, i);
  }));
}

Deno.test("a password costs RFC 9106's second recommended setting by default", async () => {
  await using server = await Server.start({ isFullCost: true });
  const { username } = await server.register();
  assert.match(hashOf(server, username), /^\$argon2id\$v=19\$m=65536,t=3,p=4\$/);
});

Deno.test("a password hash is upgraded by the first login after the cost changed", async () => {
  await using directory = new Directory();
  const cheap = await Server.start({ directory });
  const user = await cheap.register();
  await cheap.stop();
  const outdated = hashOf(cheap, user.username);
  await using dear = await Server.start({ directory, env: { ARGON2_PASSES: "2" } });
  assert.equal((await dear.login({ ...user, password: "wrong" })).status, 401);
  assert.equal(hashOf(dear, user.username), outdated);
  await dear.token(user);
  const upgraded = hashOf(dear, user.username);
  assert.match(upgraded, /^\$argon2id\$v=19\$m=64,t=2,p=1\$/);
  await dear.token(user);
  assert.equal(hashOf(dear, user.username), upgraded);
  assert.equal((await dear.login({ ...user, password: "wrong" })).status, 401);
});

Deno.test("a flood of logins is answered or refused, and memory stays bounded", async () => {
  await using server = await Server.start({ isFullCost: true, env: UNLIMITED });
  const user = await server.register();
  await server.token(user);
  const before = await memory(server.pid, "VmRSS");

  let isOver = false;
  const watch = (async () => {
    const statuses: number[] = [];
    while (!isOver) {
      statuses.push((await server.jwks()).status);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return statuses;
  })();
  const answers = await flood(server, 100, (client, i) => {
    return client.login(i % 2 === 0 ? user : { ...user, password: "wrong" });
  });
  isOver = true;

  const statuses = new Set(answers.map(({ status }) => status));
  assert.ok(statuses.isSubsetOf(new Set([200, 401, 503])), [...statuses].join());
  assert.ok(statuses.has(200) && statuses.has(401));
  for (const { status, json, headers } of answers) {
    if (status !== 503) continue;
    assert.equal(json.error, "overloaded");
    assert.match(headers.get("retry-after")!, /^[1-9]\d*$/);
  }
  // One hash a core at a time; 100 of them would be 6.4 GiB. The rest is room for 100 connections
  // and what the allocator keeps: one hash a core that is freed and not yet given back, and 64 MiB.
  const bound = before + 2 * navigator.hardwareConcurrency * HASH_MEMORY + 64 * MIB;
  const peak = await memory(server.pid, "VmHWM");
  assert.ok(peak < bound, `${peak} KiB at the peak; ${before} before, ${bound} allowed`);
  const served = await watch;
  assert.ok(served.length > 1 && served.every((status) => status === 200), served.join());
  await server.token(user);
});
