import assert from "node:assert/strict";
import { hash } from "@node-rs/argon2";
import { FairQueue } from "../../lib/accounts/fair_queue.ts";
import { PasswordHasher } from "../../lib/accounts/password.ts";
import { isDomainError } from "../../lib/base/errors.ts";
import { duration } from "../bench/statistics.ts";
import { CHEAP } from "../support.ts";
import { hasherWith } from "./make_accounts.ts";

const PASSWORD = "correct horse battery staple";

/** For whom all of this is done. */
const WHO = "192.0.2.1";

const WRONG = { isUsable: true, right: undefined };

/** How each of these checks, begun at once, came out. */
async function outcomes(checks: Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(checks);
  return settled.map((one) => {
    if (one.status === "fulfilled") return "done";
    assert.ok(isDomainError(one.reason));
    assert.equal(one.reason.data.retryAfter, 1);
    return one.reason.code;
  });
}

Deno.test("PasswordHasher.hash() gives an Argon2id PHC string at the given cost", async () => {
  const phc = await hasherWith().hash(PASSWORD, WHO);
  assert.match(phc, /^\$argon2id\$v=19\$m=8,t=1,p=1\$[A-Za-z0-9+/]{22,}\$[A-Za-z0-9+/]{43}$/);
});

Deno.test("PasswordHasher.hash() takes a salt of its own every time", async () => {
  assert.notEqual(await hasherWith().hash(PASSWORD, WHO), await hasherWith().hash(PASSWORD, WHO));
});

Deno.test("PasswordHasher.verify() tells the right password from every other", async () => {
  const phc = await hasherWith().hash(PASSWORD, WHO);
  assert.equal((await hasherWith().verify([phc], PASSWORD, WHO)).right, phc);
  for (const wrong of ["", `${PASSWORD} `, PASSWORD.toUpperCase(), PASSWORD.slice(1), phc]) {
    assert.deepEqual(await hasherWith().verify([phc], wrong, WHO), WRONG, wrong);
  }
});

Deno.test("PasswordHasher.verify() takes a hash that was made at another cost", async () => {
  const phc = await hash(PASSWORD, { memoryCost: 32, timeCost: 2, parallelism: 2 });
  assert.equal((await hasherWith().verify([phc], PASSWORD, WHO)).right, phc);
});

Deno.test("PasswordHasher.verify() says no for an unknown user, whatever the password", async () => {
  const own = hasherWith();
  for (const password of [PASSWORD, "", await own.hash(PASSWORD, WHO)]) {
    assert.deepEqual(await own.verify([], password, WHO), WRONG);
  }
});

Deno.test("PasswordHasher.verify() does the work of the decoy for an unknown user and a row without hash", async () => {
  const decoy = { memoryKib: 16_384, passes: 4, lanes: 1 };
  const own = hasherWith();
  for (const hashes of [[], ["x"]]) {
    const cheap = await duration(() => own.verify(hashes, PASSWORD, WHO));
    const dear = await duration(() => own.verify(hashes, PASSWORD, WHO, decoy));
    assert.ok(dear > 4 * cheap, `${dear} ms, ${cheap} ms`);
  }
});

Deno.test("PasswordHasher.isOutdated() is true when any one parameter differs from today's", async () => {
  const today = { memoryCost: 8, timeCost: 1, parallelism: 1 };
  assert.equal(hasherWith().isOutdated(await hash(PASSWORD, today)), false);
  for (const other of [{ memoryCost: 16 }, { timeCost: 2 }, { memoryCost: 16, parallelism: 2 }]) {
    assert.equal(hasherWith().isOutdated(await hash(PASSWORD, { ...today, ...other })), true);
  }
});

Deno.test("PasswordHasher refuses the check that would wait behind a full queue", async () => {
  const own = hasherWith({ concurrency: 1, capacity: 2 });
  const phc = await own.hash(PASSWORD, WHO);
  const checks = Array.from({ length: 5 }, () => own.verify([phc], PASSWORD, WHO));
  assert.deepEqual(await outcomes(checks), ["done", "done", "done", "overloaded", "overloaded"]);
});

Deno.test("PasswordHasher takes checks again once the queue is shorter", async () => {
  const own = hasherWith({ concurrency: 1, capacity: 1 });
  const checks = Array.from({ length: 4 }, () => own.hash(PASSWORD, WHO));
  assert.deepEqual(await outcomes(checks), ["done", "done", "overloaded", "overloaded"]);
  const phc = await own.hash(PASSWORD, WHO);
  assert.equal((await own.verify([phc], PASSWORD, WHO)).right, phc);
});

Deno.test("PasswordHasher.verify() queues and is refused for an unknown user as for a known one", async () => {
  for (const known of [true, false]) {
    const own = hasherWith({ concurrency: 1, capacity: 1 });
    const hashes = known ? [await own.hash(PASSWORD, WHO)] : [];
    const checks = Array.from({ length: 3 }, () => own.verify(hashes, PASSWORD, WHO));
    assert.deepEqual(await outcomes(checks), ["done", "done", "overloaded"]);
  }
});

Deno.test("PasswordHasher.hashLike() takes salt, cost and length of the other, or its own without one", async () => {
  const other = await hash("x", { memoryCost: 32, timeCost: 2, parallelism: 2, outputLen: 24 });
  const like = await hasherWith().hashLike(other, PASSWORD, WHO);
  const salt = (phc: string) => phc.split("$").slice(0, 5);
  assert.deepEqual(salt(like), salt(other));
  assert.equal(like.length, other.length);
  assert.equal((await hasherWith().verify([other, like], PASSWORD, WHO)).right, like);
  assert.match(await hasherWith().hashLike("x", PASSWORD, WHO), /^\$argon2id\$v=19\$m=8,t=1,p=1\$/);
});

Deno.test("PasswordHasher.verify() makes one turn of work, however many hashes and whichever is right", async () => {
  const now = () => performance.now();
  const queue = new FairQueue({ concurrency: 1, patience: Infinity, capacity: 9, now });
  const own = new PasswordHasher(CHEAP, queue);
  const first = await own.hash("first", WHO);
  const second = await own.hashLike(first, "second", WHO);
  let works = 0;
  const run = queue.run.bind(queue);
  queue.run = (owner, work) => (works++, run(owner, work));
  for (const hashes of [[], [first], [first, second], ["x"]]) {
    for (const password of ["first", "second", "third"]) {
      works = 0;
      const { right } = await own.verify(hashes, password, WHO);
      const expected = { first, second }[password];
      assert.equal(right, hashes.find((phc) => phc === expected), password);
      assert.equal(works, 1);
    }
  }
});
