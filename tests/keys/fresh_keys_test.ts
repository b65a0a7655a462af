import assert from "node:assert/strict";
import type { SigningAlgorithm } from "../../lib/keys/algorithms.ts";
import { KeyPool } from "../../lib/keys/key_pool.ts";
import type { KeyRing } from "../../lib/keys/key_ring.ts";
import { generatePrivateJwk, type PrivateJwk } from "../../lib/keys/signing_key.ts";
import { storageUnavailable } from "../../lib/base/errors.ts";
import { revoke } from "../../lib/rotation/operations.ts";
import { publishedKeys } from "../../lib/rotation/policy.ts";
import { makeRing, openStorage, POLICY, wrapStorage } from "../support.ts";
import { DAY } from "./rings.ts";

type Pool = KeyPool<SigningAlgorithm, PrivateJwk>;

/** Which public half each kid has, over all of a ring's life: no two kids may have the same one. */
class Halves {
  readonly #kids = new Map<string, string>();

  note({ keys }: KeyRing): void {
    for (const { kid, id, publicJwk } of keys) {
      assert.equal(kid, String(id));
      const known = this.#kids.get(publicJwk.x!);
      assert.ok(known === undefined || known === kid, `${known} and ${kid} are one private key`);
      this.#kids.set(publicJwk.x!, kid);
    }
  }

  get count(): number {
    return this.#kids.size;
  }
}

/** Everything that makes keys, with keys from `pool`; gives how many there were. */
async function liveWith(pool: Pool): Promise<number> {
  let failures = 0;
  const storage = wrapStorage(openStorage(), (own) => ({
    async changeKeys(...change) {
      const isDone = await own.changeKeys(...change);
      if (failures-- > 0) throw storageUnavailable("full"); // it has taken effect all the same
      return isDone;
    },
  }));
  const policy = { alg: "ES256" as const };
  const { ring, time } = await makeRing({ storage, policy, parts: { pool } });
  const halves = new Halves();
  const revokeAll = () =>
    ring.change((held, now) => ({
      change: publishedKeys(held, now).flatMap((key) => revoke(key, now)),
    }));
  const goOn = async () => {
    await ring.signer();
    await ring.maintain();
    halves.note(ring);
  };
  halves.note(ring);
  for (let rotation = 0; rotation < 3; rotation++) {
    time.advance(POLICY.rotation);
    await goOn();
  }
  time.advance(400 * DAY); // no key is left
  await goOn();
  await revokeAll();
  await goOn();
  for (let rotation = 0; rotation < 3; rotation++) {
    time.advance(POLICY.rotation);
    failures = 1;
    await assert.rejects(ring.maintain(), { code: "storage_unavailable" });
    await goOn();
  }
  failures = 1;
  await assert.rejects(revokeAll(), { code: "storage_unavailable" });
  await goOn();
  await storage.close();
  return halves.count;
}

Deno.test("KeyRing never gives one private key two kids, whatever happens and fails", async () => {
  const count = await liveWith(new KeyPool(() => generatePrivateJwk("ES256")));
  assert.ok(count >= 15, `only ${count} keys were made`);
});

Deno.test("KeyRing's test for shared private keys notices a pool that gives one twice", async () => {
  class Repeating extends KeyPool<SigningAlgorithm, PrivateJwk> {
    #taken: PrivateJwk[] = [];

    override take(alg: SigningAlgorithm): PrivateJwk | undefined {
      const key = super.take(alg);
      if (key === undefined) return undefined;
      this.#taken.push(key);
      return this.#taken.length === 5 ? this.#taken[3] : key;
    }
  }
  await assert.rejects(
    liveWith(new Repeating(() => generatePrivateJwk("ES256"))),
    /are one private key/,
  );
});
