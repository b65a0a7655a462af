import assert from "node:assert/strict";
import type { Argon2Cost } from "../../lib/base/argon2_cost.ts";
import { DecoyCosts } from "../../lib/accounts/decoy_costs.ts";
import { duration } from "../bench/statistics.ts";
import { CHEAP, CLIENT, failureOf, FakeClock, openStorage } from "../support.ts";
import { makeAccounts } from "./make_accounts.ts";

const OLD: Argon2Cost = { memoryKib: 16, passes: 2, lanes: 1 };
const NEW: Argon2Cost = { memoryKib: 32, passes: 3, lanes: 2 };

const NAMES = Array.from({ length: 400 }, (_, number) => `name-${number}`);

function hashAt({ memoryKib, passes, lanes }: Argon2Cost): string {
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${"A".repeat(22)}$${"A".repeat(43)}`;
}

/** Users with hashes at these costs, and what names cost that none of them has. */
async function makeDecoys(costs: readonly Argon2Cost[], prefix = "") {
  const storage = openStorage();
  const time = new FakeClock();
  for (const [number, cost] of costs.entries()) {
    const username = `user-${number}`;
    const passwordHash = prefix + hashAt(cost);
    await storage.createUser({ username, email: null, passwordHash, at: time.now });
  }
  const decoys = new DecoyCosts({ storage, cost: CHEAP, clock: time.clock });
  const costsOf = async () => {
    const found = [];
    for (const name of NAMES) found.push(await decoys.costOf(name));
    return found;
  };
  /** The share of the names that cost as much as this. */
  const share = async (cost: Argon2Cost) =>
    (await costsOf()).filter((one) => JSON.stringify(one) === JSON.stringify(cost)).length /
    NAMES.length;
  return { storage, time, decoys, share, costsOf };
}

Deno.test("DecoyCosts.costOf() is the configured cost while there are no users", async () => {
  const { share } = await makeDecoys([]);
  assert.equal(await share(CHEAP), 1);
});

Deno.test("DecoyCosts.costOf() is what all users' hashes cost, whatever is configured", async () => {
  for (const prefix of ["", "!"]) {
    const { share } = await makeDecoys([OLD, OLD, OLD], prefix);
    assert.equal(await share(OLD), 1);
  }
});

Deno.test("DecoyCosts.costOf() gives names the costs in the shares in which users have them", async () => {
  const { share } = await makeDecoys([OLD, OLD, OLD, NEW]);
  assert.ok(Math.abs(await share(OLD) - 0.75) < 0.1);
  assert.ok(Math.abs(await share(NEW) - 0.25) < 0.1);
});

Deno.test("DecoyCosts.costOf() is the same for a name in any case, at any time", async () => {
  const { decoys, time } = await makeDecoys([OLD, NEW]);
  for (const name of NAMES.slice(0, 50)) {
    const cost = await decoys.costOf(name);
    time.advance(3600);
    assert.deepEqual(await decoys.costOf(name.toUpperCase()), cost);
  }
});

Deno.test("DecoyCosts.costOf() follows the upgrade of the hashes, and no name goes back", async () => {
  const { costsOf, storage, time } = await makeDecoys(Array(8).fill(OLD));
  let before = await costsOf();
  for (const number of [3, 7, 0, 5, 1, 6, 2, 4]) {
    const { id, passwordHash } = (await storage.findUser(`user-${number}`))!;
    await storage.replacePasswordHash(id, passwordHash, hashAt(NEW));
    time.advance(61);
    const after = await costsOf();
    const isBack = after.some((cost, place) =>
      cost.memoryKib === OLD.memoryKib && before[place]!.memoryKib === NEW.memoryKib
    );
    assert.equal(isBack, false, `after user ${number}`);
    before = after;
  }
  assert.ok(before.every(({ memoryKib }) => memoryKib === NEW.memoryKib));
});

Deno.test("DecoyCosts.costOf() leaves rows aside that hold no hash", async () => {
  const { storage, share } = await makeDecoys([OLD]);
  await storage.createUser({ username: "odd", email: null, passwordHash: "x", at: 0 });
  assert.equal(await share(OLD), 1);
});

Deno.test("Authentication.authenticate() works for nobody as for users whose hashes are of another cost", async () => {
  const dear = { memoryKib: 16_384, passes: 4, lanes: 1 };
  const { accounts, store } = makeAccounts();
  await store(hashAt(dear));
  const timeOf = (username: string) =>
    duration(() =>
      failureOf(() => accounts.authentication.authenticate({ username, password: "x" }, CLIENT))
    );
  let [known, unknown] = [Infinity, Infinity];
  // In turns, and the quickest of each: other programs hold up one or the other.
  for (let attempt = 1; attempt <= 6; attempt++) {
    known = Math.min(known, await timeOf("alice"));
    unknown = Math.min(unknown, await timeOf("nobody"));
  }
  assert.ok(unknown > known / 3 && known > unknown / 3, `${known} ms, ${unknown} ms`);
});
