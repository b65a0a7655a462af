/** A clock that is set back by an hour and forward by a year while the server runs. */

import assert from "node:assert/strict";
import { createLocalJWKSet, jwtVerify } from "jose";
import type { Client, Credentials } from "../blackbox/client.ts";
import { Directory, eventually, Server } from "../blackbox/harness.ts";
import { keyHeader, keyRows, settled } from "../blackbox/keys.ts";
import { canMoveClocks, MovedClock } from "./moved_clock.ts";

const HOUR = 3600;
const YEAR = 365 * 86_400;

/** The moves, in seconds against the true time. */
const MOVES = { "an hour back": -HOUR, "a year forward": YEAR, "a year back": 0 };

/** Long enough to be filled before the clock is set and asked after that. */
const LIMIT = 5;
const WINDOW = 2000;

const env = { SIGNING_ALG: "ES256", RATE_LIMIT: String(LIMIT), RATE_WINDOW: `${WINDOW / 1000}s` };

Deno.test({
  name: "a clock that is set leaves one signer, tokens that verify, and the rate limit as it is",
  ignore: !canMoveClocks,
}, async () => {
  await using aside = new Directory();
  const clock = await MovedClock.at(`${aside.path}/clock`);
  await using server = await Server.start({ env: { ...env, ...clock.env } });
  await settled(server);
  const user = await server.register();
  let moves = 0;
  for (const [what, seconds] of Object.entries(MOVES)) {
    using client = server.from(`127.0.3.${++moves}`); // one with a window of its own
    const begun = performance.now();
    await fillWindow(client, user);
    await clock.move(seconds);
    assert.equal((await client.login(user)).status, 429, what);
    assert.ok(performance.now() - begun < WINDOW, "the machine is too slow for this test");

    await eventually(`one key signs, another is next, ${what}`, () => {
      return signers(server, clock.now) === 1 && waiting(server, clock.now) >= 1 ? true : undefined;
    });
    const token = await eventually(`it is admitted again, ${what}`, async () => {
      const { status, json } = await client.login(user);
      return status === 200 ? json.token as string : undefined;
    }, { patience: 2 * WINDOW, every: 100 });
    const waited = performance.now() - begun;
    assert.ok(waited >= WINDOW, `it was admitted after ${waited} ms`);

    const set = createLocalJWKSet((await server.jwks()).json);
    const currentDate = new Date(clock.now * 1000);
    const { payload } = await jwtVerify(token, set, { currentDate });
    assert.ok(Math.abs(payload.iat! - clock.now) <= 2, `${payload.iat} is not ${clock.now}`);
    const rows = server.query<{ timestamp: string }>(
      "SELECT request_timestamp AS timestamp FROM auth_logs ORDER BY id DESC LIMIT 1",
    );
    const noted = Date.parse(`${rows[0]!.timestamp.replace(" ", "T")}Z`) / 1000;
    assert.ok(Math.abs(noted - clock.now) <= 2, rows[0]!.timestamp);
  }
  assert.ok(!server.stderr.includes('"level":"error"'), server.stderr);
  assert.equal((await server.stop()).code, 0);
});

/** Uses up what the rate limit allows. */
async function fillWindow(client: Client, user: Credentials): Promise<void> {
  for (let i = 0;; i++) {
    const { status } = await client.login(user);
    if (status === 429) return;
    assert.deepEqual([status, i <= LIMIT], [200, true]);
  }
}

function signers({ directory }: Server, now: number): number {
  return keyRows(directory).map(keyHeader)
    .filter(({ sign_from: from, sign_until: until }) => from <= now && now < until).length;
}

function waiting({ directory }: Server, now: number): number {
  return keyRows(directory).map(keyHeader).filter(({ sign_from: from }) => now < from).length;
}
