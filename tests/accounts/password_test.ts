import assert from "node:assert/strict";
import { hash } from "@node-rs/argon2";
import { RequestError } from "../../lib/base/errors.ts";
import { PasswordHasher } from "../../lib/accounts/password.ts";
import { CHEAP } from "../support.ts";

const PASSWORD = "correct horse battery staple";

function hasher(limits = { concurrency: 2, queue: 100 }): PasswordHasher {
  return new PasswordHasher(CHEAP, limits);
}

/** How each of these checks, begun at once, came out. */
async function outcomes(checks: Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(checks);
  return settled.map((one) => {
    if (one.status === "fulfilled") return "done";
    assert.ok(one.reason instanceof RequestError);
    assert.equal(one.reason.retryAfter, 1);
    return one.reason.code;
  });
}

Deno.test("PasswordHasher.hash() gives an Argon2id PHC string at the given cost", async () => {
  const phc = await hasher().hash(PASSWORD);
  assert.match(phc, /^\$argon2id\$v=19\$m=8,t=1,p=1\$[A-Za-z0-9+/]{22,}\$[A-Za-z0-9+/]{43}$/);
});

Deno.test("PasswordHasher.hash() takes a salt of its own every time", async () => {
  assert.notEqual(await hasher().hash(PASSWORD), await hasher().hash(PASSWORD));
});

Deno.test("PasswordHasher.verify() tells the right password from every other", async () => {
  const phc = await hasher().hash(PASSWORD);
  assert.equal(await hasher().verify(phc, PASSWORD), true);
  for (const wrong of ["", `${PASSWORD} `, PASSWORD.toUpperCase(), PASSWORD.slice(1), phc]) {
    assert.equal(await hasher().verify(phc, wrong), false, wrong);
  }
});

Deno.test("PasswordHasher.verify() takes a hash that was made at another cost", async () => {
  const phc = await hash(PASSWORD, { memoryCost: 32, timeCost: 2, parallelism: 2 });
  assert.equal(await hasher().verify(phc, PASSWORD), true);
});

Deno.test("PasswordHasher.verify() says no for an unknown user, whatever the password", async () => {
  const own = hasher();
  await own.prepare();
  assert.equal(await own.verify(undefined, PASSWORD), false);
  assert.equal(await own.verify(undefined, ""), false);
  assert.equal(await own.verify(undefined, await own.prepare()), false);
});

Deno.test("PasswordHasher.prepare() makes one decoy, at the cost that a user's hash has", async () => {
  const own = hasher();
  const [decoy, again] = await Promise.all([own.prepare(), own.prepare()]);
  assert.equal(decoy, again);
  assert.equal(own.isOutdated(decoy), false);
  assert.notEqual(decoy, await hasher().prepare());
});

Deno.test("PasswordHasher.prepare() tries again after it was refused", async () => {
  const own = hasher({ concurrency: 1, queue: 1 });
  const busy = [own.hash(PASSWORD), own.hash(PASSWORD)];
  await assert.rejects(own.prepare(), { code: "overloaded" });
  await Promise.all(busy);
  assert.equal(await own.verify(undefined, PASSWORD), false);
});

Deno.test("PasswordHasher.isOutdated() is true when any one parameter differs from today's", async () => {
  const today = { memoryCost: 8, timeCost: 1, parallelism: 1 };
  assert.equal(hasher().isOutdated(await hash(PASSWORD, today)), false);
  for (const other of [{ memoryCost: 16 }, { timeCost: 2 }, { memoryCost: 16, parallelism: 2 }]) {
    assert.equal(hasher().isOutdated(await hash(PASSWORD, { ...today, ...other })), true);
  }
});

Deno.test("PasswordHasher refuses the check that would wait behind a full queue", async () => {
  const own = hasher({ concurrency: 1, queue: 2 });
  const phc = await own.hash(PASSWORD);
  const checks = Array.from({ length: 5 }, () => own.verify(phc, PASSWORD));
  assert.deepEqual(await outcomes(checks), ["done", "done", "done", "overloaded", "overloaded"]);
});

Deno.test("PasswordHasher takes checks again once the queue is shorter", async () => {
  const own = hasher({ concurrency: 1, queue: 1 });
  const checks = Array.from({ length: 4 }, () => own.hash(PASSWORD));
  assert.deepEqual(await outcomes(checks), ["done", "done", "overloaded", "overloaded"]);
  assert.equal(await own.verify(await own.hash(PASSWORD), PASSWORD), true);
});

Deno.test("PasswordHasher.verify() queues and is refused for an unknown user as for a known one", async () => {
  for (const known of [true, false]) {
    const own = hasher({ concurrency: 1, queue: 1 });
    const phc = known ? await own.hash(PASSWORD) : (await own.prepare(), undefined);
    const checks = Array.from({ length: 3 }, () => own.verify(phc, PASSWORD));
    assert.deepEqual(await outcomes(checks), ["done", "done", "overloaded"]);
  }
});
