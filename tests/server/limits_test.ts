import assert from "node:assert/strict";
import { GuessLimit } from "../../lib/accounts/guess_limit.ts";
import { isDomainError } from "../../lib/base/errors.ts";
import type { Limiter } from "../../lib/limits/limiter.ts";
import { type Limits, openLimits } from "../../lib/server/limits.ts";
import { connected, ignore, inForce, withValkey } from "../limits/valkey/valkeys.ts";
import type { RedisServer } from "../servers/redis.ts";
import { failureOf, recordingLog } from "../support.ts";
import { load, type Variables } from "./loaded.ts";

/** A limit that is never over while a test runs. */
const RULE = { RATE_LIMIT: "2", RATE_WINDOW: "1h" };

/** The limits of two servers that are configured alike. */
async function withTwo(
  variables: Variables,
  body: (one: Limits, other: Limits) => Promise<void>,
): Promise<void> {
  const config = load({ ...RULE, ...variables });
  const open = () => openLimits(config, recordingLog().log);
  const both = [await open(), await open()] as const;
  try {
    for (const { sharing } of both) {
      await sharing?.start();
      if (sharing !== undefined) await inForce(sharing);
    }
    await body(...both);
  } finally {
    for (const { sharing } of both) await sharing?.stop();
  }
}

function test(name: string, body: (server: RedisServer) => Promise<void>): void {
  Deno.test({ name, ignore, fn: () => withValkey((server) => body(server)) });
}

async function count(limiters: readonly Limiter[], client: string): Promise<number> {
  let admitted = 0;
  for (let sent = 0; sent < 10; sent++) {
    const admission = await limiters[sent % limiters.length]!.admit(client);
    if (admission.admitted) admitted++;
  }
  return admitted;
}

Deno.test("openLimits() lets each server count alone by default, and each route by itself", async () => {
  await withTwo({}, async (one, other) => {
    assert.equal(one.sharing, undefined);
    assert.equal(await count([one.requests("auth"), other.requests("auth")], "a"), 4);
    assert.equal(await count([one.requests("register")], "a"), 2);
    assert.equal(await count([one.guesses], "a"), 4);
    assert.equal(one.requests("auth"), one.requests("auth"));
  });
});

test("openLimits() lets servers count together, each route by itself", ({ url }) =>
  withTwo({ REDIS_URL: url }, async (one, other) => {
    for (const name of ["auth", "register"]) {
      assert.equal(await count([one.requests(name), other.requests(name)], "a"), 2);
    }
    assert.equal(one.requests("auth"), one.requests("auth"));
  }));

test("openLimits() lets servers count the tries at a name together, and tells none on", (server) =>
  withTwo({ REDIS_URL: server.url }, async (...both) => {
    const limits = both.map(({ guesses }) => new GuessLimit({ window: guesses, capacity: 10 }));
    const name = `alice\r\n${"x".repeat(5000)}`;
    for (let tried = 0; tried < 4; tried++) {
      await limits[tried % 2]!.admit(name, `192.0.2.${tried}`);
    }
    for (const limit of limits) {
      const refused = await failureOf(() => limit.admit(name.toUpperCase(), "198.51.100.1"));
      assert.ok(isDomainError(refused, "rate_limited"));
    }
    const connection = await connected(server);
    const keys = await connection.send("KEYS", "*:guess:*") as string[];
    connection.close();
    assert.match(keys.join(), /^jwks-server:limit:guess:[\w-]{43}$/);
  }));

test("openLimits() refuses what cannot be decided together, where that is asked for", (server) =>
  withTwo({ REDIS_URL: server.url, RATE_LIMIT_STRICT: "on" }, async (one) => {
    assert.equal(await count([one.requests("auth")], "a"), 2);
    await server.stop();
    for (const limiter of [one.requests("auth"), one.guesses]) {
      const error = await failureOf(() => limiter.admit("b"));
      assert.ok(isDomainError(error, "overloaded"));
    }
  }));

Deno.test("openLimits() says which file is no certificate", async () => {
  const file = new URL(import.meta.url).pathname;
  const config = load({ REDIS_URL: "rediss://cache.example", REDIS_CA_FILE: file });
  const error = await failureOf(() => openLimits(config, recordingLog().log));
  assert.ok(isDomainError(error, "configuration"));
  assert.match(error.message, /REDIS_CA_FILE/);
});
