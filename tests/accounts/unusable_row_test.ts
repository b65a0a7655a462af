import assert from "node:assert/strict";
import { hash } from "@node-rs/argon2";
import { FairQueue } from "../../lib/accounts/fair_queue.ts";
import { PasswordHasher } from "../../lib/accounts/password.ts";
import { CHEAP, CLIENT } from "../support.ts";
import { makeAccounts, refusalOf } from "./make_accounts.ts";

/** The numbers of the library's enumeration, which is a type alone. */
const [ARGON2D, ARGON2I] = [0, 1];

const PASSWORD = "the password that was right before";

/** Hashes that are none which this program would make, whatever password they are of. */
async function unusableHashes(): Promise<string[]> {
  const cost = { memoryCost: 8, timeCost: 1, parallelism: 1 };
  const own = await hash(PASSWORD, cost);
  return [
    "x",
    "",
    own.slice(1),
    own.replace("m=8,", "m=8388608,"), // 8 GiB
    own.replace("t=1,", "t=4000000000,"),
    own.replace("m=8,t=1,p=1", "m=8,t=1,p=2"),
    await hash(PASSWORD, { ...cost, algorithm: ARGON2I }),
    await hash(PASSWORD, { ...cost, algorithm: ARGON2D }),
    own.replace(/[^$]+$/, "A"), // one character of base64 stands for no byte
    own.replace(/[^$]+$/, "AAAA"),
    own.replace(/\$[^$]+\$([^$]+)$/, "$A$$$1"),
    `${own}\n`,
  ];
}

/** A hasher that measures the works it does, in milliseconds. */
function measuringHasher(cost = CHEAP) {
  const works: number[] = [];
  const now = () => performance.now();
  const queue = new FairQueue({ concurrency: 1, patience: Infinity, capacity: 10, now });
  const run = queue.run.bind(queue);
  queue.run = (owner, work) =>
    run(owner, async () => {
      const start = now();
      try {
        return await work();
      } finally {
        works.push(now() - start);
      }
    });
  return { hasher: new PasswordHasher(cost, queue), works };
}

Deno.test("Authentication.authenticate() refuses whoever's row holds no hash like any wrong password", async () => {
  for (const passwordHash of await unusableHashes()) {
    const { accounts, store, logged } = makeAccounts();
    await store(passwordHash);
    const refusals = [];
    for (const username of ["alice", "nobody"]) {
      const credentials = { username, password: PASSWORD };
      refusals.push(
        await refusalOf(() => accounts.authentication.authenticate(credentials, CLIENT)),
      );
    }
    // The reason is for the log alone.
    const [unusable, unknown] = refusals.map(({ code, message, data: { reason: _, ...data } }) => ({
      code,
      message,
      data,
    }));
    assert.equal(unusable!.code, "invalid_credentials", passwordHash);
    assert.deepEqual(unusable, unknown);
    assert.deepEqual(logged().map((row) => row.user_id), [null, null]);
  }
});

Deno.test("Authentication.authenticate() names the row that holds no hash once an attempt, and no secret", async () => {
  for (const passwordHash of await unusableHashes()) {
    const { accounts, store, lines } = makeAccounts();
    const { id } = await store(passwordHash);
    for (let attempt = 1; attempt <= 2; attempt++) {
      const credentials = { username: "ALICE", password: PASSWORD };
      await refusalOf(() => accounts.authentication.authenticate(credentials, CLIENT));
      assert.equal(lines.length, attempt, passwordHash);
      const { level, user_id, username } = JSON.parse(lines.at(-1)!);
      assert.deepEqual([level, user_id, username], ["error", id, "alice"]);
    }
    const said = lines.join();
    assert.ok(!said.includes(PASSWORD));
    assert.ok(passwordHash.length < 2 || !said.includes(passwordHash));
    assert.doesNotMatch(said, /argon2/);
  }
});

Deno.test("Authentication.authenticate() refuses a disabled user whose row holds no hash, and names it", async () => {
  const { accounts, store, lines } = makeAccounts();
  await store("!x");
  const credentials = { username: "alice", password: PASSWORD };
  const { code } = await refusalOf(() => accounts.authentication.authenticate(credentials, CLIENT));
  assert.equal(code, "invalid_credentials");
  assert.equal(lines.length, 1);
});

Deno.test("Authentication.authenticate() works as long for a row without a hash as for a wrong password", async () => {
  const { hasher, works } = measuringHasher({ memoryKib: 8192, passes: 2, lanes: 1 });
  const wrong = makeAccounts(hasher);
  await wrong.accounts.register({ username: "alice", email: "alice@example.com" }, CLIENT.ip);
  const least = async ({ accounts }: ReturnType<typeof makeAccounts>) => {
    works.length = 0;
    for (let attempt = 1; attempt <= 2; attempt++) {
      const credentials = { username: "alice", password: PASSWORD };
      await refusalOf(() => accounts.authentication.authenticate(credentials, CLIENT));
      assert.equal(works.length, attempt);
    }
    return Math.min(...works);
  };
  const usual = await least(wrong);
  for (const passwordHash of await unusableHashes()) {
    const own = makeAccounts(hasher);
    await own.store(passwordHash);
    const spent = await least(own);
    assert.ok(spent > usual / 3, `${passwordHash}: ${spent} ms of ${usual} ms`);
  }
});

Deno.test("Accounts.resetPassword() lets a user log in again whose row held no hash", async () => {
  const { accounts, store } = makeAccounts();
  await store("x");
  const password = await accounts.resetPassword("alice", CLIENT.ip);
  const { user } = await accounts.authentication.authenticate(
    { username: "alice", password },
    CLIENT,
  );
  assert.equal(user.username, "alice");
});
