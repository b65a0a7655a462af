/** A verifier that caches the key set just as it is told, while keys rotate. */

import assert from "node:assert/strict";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { activeKey } from "../../lib/rotation/policy.ts";
import { ISSUER, json, makeApp } from "../support.ts";

const ROTATIONS = 50;
const DAY = 86_400;

/**
 * When there are logins, in seconds from the moment at which a key stops to sign: before it and
 * after it with what was cached before it, with what is fetched then, and when its last token ends.
 */
const MOMENTS = [-3000, -120, -1, 0, 1, 100, 400, 3590];

type App = Awaited<ReturnType<typeof makeApp>>;

/** Asks for the set again only when `max-age` has passed since the last answer. */
class CachingVerifier {
  readonly #app: App;
  #set: ReturnType<typeof createLocalJWKSet> | undefined;
  #until = -Infinity;
  fetches = 0;

  constructor(app: App) {
    this.#app = app;
  }

  async verify(token: string): Promise<string> {
    const { time, send } = this.#app;
    if (time.now >= this.#until) {
      const response = await send("/.well-known/jwks.json");
      assert.equal(response.status, 200);
      const maxAge = /\bmax-age=(\d+)/.exec(response.headers.get("cache-control")!)![1];
      this.#until = time.now + Number(maxAge) * 1000;
      this.#set = createLocalJWKSet(await response.json() as JSONWebKeySet);
      this.fetches++;
    }
    const currentDate = new Date(time.now);
    const { protectedHeader } = await jwtVerify(token, this.#set!, { issuer: ISSUER, currentDate });
    return protectedHeader.kid!;
  }
}

Deno.test(`${ROTATIONS} rotations: a verifier that caches for max-age verifies every token for its whole life`, async () => {
  const app = await makeApp({ policy: { rotation: 2 * DAY, alg: "ES256" } });
  const { send, ring, time } = app;
  const user = { username: "alice", email: "alice@example.com" };
  const { password } = await (await send("/register", json(user))).json();
  const verifier = new CachingVerifier(app);
  const kids = new Set<string>();
  let valid: { token: string; until: number }[] = [];
  let count = 0;
  for (let rotation = 0; rotation < ROTATIONS; rotation++) {
    const { signUntil } = activeKey(ring.keys, time.seconds)!;
    for (const moment of MOMENTS) {
      time.now = (signUntil + moment) * 1000;
      const response = await send("/auth", json({ ...user, password }));
      const { token, expires_in: life } = await response.json();
      assert.equal(response.status, 200);
      valid = [...valid, { token, until: time.now + life * 1000 }];
      valid = valid.filter(({ until }) => time.now < until);
      await verifier.verify(valid[0]!.token); // the one that is over first
      kids.add(await verifier.verify(token));
      if (moment > 0) await ring.maintain(); // the poll comes late
      count++;
    }
  }
  assert.equal(kids.size, ROTATIONS + 1);
  assert.ok(verifier.fetches <= count * 0.75, `${verifier.fetches} of ${count}`);
});
