import assert from "node:assert/strict";
import fc from "fast-check";
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import type { KeyRing } from "../../lib/keys/key_ring.ts";
import { insertNext, passiveSchedule, revoke, rotateNow } from "../../lib/rotation/operations.ts";
import { isBornExpired, keyState, publishedKeys } from "../../lib/rotation/policy.ts";
import { TokenIssuer } from "../../lib/tokens/token_issuer.ts";
import { FakeClock, ISSUER, openStorage, POLICY, pregeneratedKey, SECRET } from "../support.ts";
import { DAY, openRing, publishedKeys as publishedJwks, reseal } from "./rings.ts";

const LASTING = { ...POLICY, tokenTtl: 10 * DAY, retention: 365 * DAY };

/** What may happen to a server with its database, in any order. */
const happenings = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom("rotate", "rekey", "restart", "import next" as const) }),
    fc.record({ kind: fc.constantFrom("revoke", "import passive" as const), place: fc.nat(3) }),
    fc.record({ kind: fc.constant("pause" as const), seconds: fc.nat(45 * DAY) }),
    fc.record({ kind: fc.constant("clock back" as const), seconds: fc.nat(3 * DAY) }),
  ),
  { maxLength: 14 },
);

type Happening = (typeof happenings) extends fc.Arbitrary<(infer H)[]> ? H : never;

/** A server's key ring over a database in memory, through its whole life. */
class Life {
  readonly time = new FakeClock();
  readonly storage = openStorage();
  readonly revoked = new Set<string>();
  #ring!: KeyRing;
  #secret = SECRET;
  #imported = 0;
  #tokens: { token: string; exp: number }[] = [];

  async restart(): Promise<void> {
    const { storage, time } = this;
    this.#ring = await openRing({ storage, time, secret: this.#secret, policy: LASTING });
    await this.#ring.maintain();
  }

  async happen(event: Happening): Promise<void> {
    if (event.kind === "restart") await this.restart();
    else if (event.kind === "rekey") await this.#rekey();
    else if (event.kind === "rotate") {
      await this.#ring.change((held, now) => ({
        change: rotateNow(held, now, LASTING, { force: true }),
      }));
    } else if (event.kind === "revoke") await this.#revoke("place" in event ? event.place : 0);
    else if ("seconds" in event) {
      this.time.advance(event.kind === "pause" ? event.seconds : -event.seconds);
    } else await this.#import(event.kind === "import next");
    await this.#ring.maintain();
    await this.#check();
  }

  async #rekey(): Promise<void> {
    const to = crypto.randomUUID();
    await reseal(this.storage, { from: this.#secret, to });
    this.#secret = to;
    await this.restart();
  }

  async #revoke(place: number): Promise<void> {
    await this.#ring.change((held, now) => {
      const keys = publishedKeys(held, now);
      const key = keys[place % keys.length]!;
      this.revoked.add(key.kid);
      return { change: revoke(key, now) };
    });
  }

  async #import(signs: boolean): Promise<void> {
    const jwk = { ...await pregeneratedKey(), kid: `imported ${++this.#imported}` };
    await this.#ring.change((held, now) => {
      if (!signs) return { change: [], add: { schedule: passiveSchedule(now, DAY), jwk } };
      const { schedule, moved } = insertNext(held, now, LASTING);
      return { change: moved, add: { schedule, jwk } };
    });
  }

  async #check(): Promise<void> {
    const now = this.time.seconds;
    const { keys } = this.#ring;
    assert.equal(keys.filter((key) => keyState(key, now) === "active").length, 1);
    assert.ok(keys.some((key) => keyState(key, now) === "next"));
    assert.ok(keys.some(isBornExpired));
    const set = { keys: publishedJwks(this.#ring) };
    for (const { kid } of set.keys) {
      assert.ok(!this.revoked.has(kid!), "a revoked key is published");
    }

    const parts = { ring: this.#ring, clock: this.time.clock, issuer: ISSUER, audience: ISSUER };
    const { token, expiresIn } = await new TokenIssuer({ ...parts, ...LASTING }).issue("alice");
    this.#tokens.push({ token, exp: now + expiresIn });
    this.#tokens = this.#tokens.filter(({ token, exp }) =>
      now < exp && !this.revoked.has(decodeProtectedHeader(token).kid!)
    );
    for (const { token } of this.#tokens) {
      const currentDate = new Date(this.time.now);
      // A token from before the clock was set back is from the future: that is the verifier's say.
      await jwtVerify(token, createLocalJWKSet(set), { currentDate, clockTolerance: 100 * DAY });
    }
  }
}

Deno.test("A database keeps one signer, every token verifiable and revoked keys out, whatever happens", async () => {
  await fc.assert(
    fc.asyncProperty(happenings, async (events) => {
      const life = new Life();
      await life.restart();
      for (const event of events) await life.happen(event);
      await life.storage.close();
    }),
    { numRuns: 60 },
  );
});
