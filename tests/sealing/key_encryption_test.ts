import assert from "node:assert/strict";
import { isDomainError } from "../../lib/base/errors.ts";
import { KeyEncryption } from "../../lib/sealing/key_encryption.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { CHEAP, failureOf, openStorage, SECRET } from "../support.ts";

const SCHEDULE = { id: 1, signFrom: 100, signUntil: 200, exp: 300 };
const JWK = { kty: "oct", k: "c2VjcmV0" };

/** Asserts that what `one` seals, `other` opens. */
async function assertSame(one: KeyEncryption, other: KeyEncryption): Promise<void> {
  const { schedule, jwk } = await other.open(await one.seal(SCHEDULE, JWK));
  assert.equal(schedule.signUntil, SCHEDULE.signUntil);
  assert.deepEqual(jwk, JWK);
}

async function withStorage(body: (storage: Storage) => Promise<void>): Promise<void> {
  const storage = openStorage();
  try {
    await body(storage);
  } finally {
    await storage.close();
  }
}

function assertWrongSecret(error: unknown, secret: string): void {
  assert.ok(isDomainError(error, "secret_unusable"));
  assert.match(error.hints.join(), /NOT_MY_KEY/);
  assert.ok(!Deno.inspect(error, { depth: 10 }).includes(secret));
}

Deno.test("KeyEncryption.unlock() derives the key that create() made", async () => {
  const created = await KeyEncryption.create(SECRET, CHEAP);
  await assertSame(created, await KeyEncryption.unlock(SECRET, created.record));
});

Deno.test("KeyEncryption.unlock() tells a wrong secret at once, and what to do", async () => {
  const { record } = await KeyEncryption.create(SECRET, CHEAP);
  const wrong = "quite another secret";
  assertWrongSecret(await failureOf(() => KeyEncryption.unlock(wrong, record)), wrong);
});

Deno.test("KeyEncryption.unlock() takes the record's derivation, whatever today's cost is", async () => {
  const costlier = await KeyEncryption.create(SECRET, { memoryKib: 32, passes: 2, lanes: 2 });
  await assertSame(costlier, await KeyEncryption.unlock(SECRET, costlier.record));
});

Deno.test("KeyEncryption.create() keeps neither the secret nor a key in its record", async () => {
  const { record } = await KeyEncryption.create(SECRET, CHEAP);
  const derivation = JSON.parse(new TextDecoder().decode(record.derivation));
  assert.deepEqual(Object.keys(derivation).toSorted(), [
    "kdf",
    "lanes",
    "memoryKib",
    "passes",
    "salt",
  ]);
  assert.ok(!new TextDecoder().decode(record.check).includes(SECRET));
});

Deno.test("KeyEncryption.create() makes another key each time, even from one secret", async () => {
  const one = await KeyEncryption.create(SECRET, CHEAP);
  const other = await KeyEncryption.create(SECRET, CHEAP);
  const error = await failureOf(async () => other.open(await one.seal(SCHEDULE, JWK)));
  assert.ok(isDomainError(error, "key_unreadable"));
});

Deno.test("KeyEncryption.establish() finds the same key again on the same storage", async () => {
  await withStorage(async (storage) => {
    const first = await KeyEncryption.establish(storage, SECRET, CHEAP);
    assert.deepEqual(await storage.readKeyEncryption(), first.record);
    await assertSame(first, await KeyEncryption.establish(storage, SECRET, CHEAP));
  });
});

Deno.test("KeyEncryption.establish() makes one key when several establish at once", async () => {
  await withStorage(async (storage) => {
    const all = await Promise.all(
      Array.from({ length: 4 }, () => KeyEncryption.establish(storage, SECRET, CHEAP)),
    );
    for (const other of all.slice(1)) await assertSame(all[0]!, other);
  });
});

Deno.test("KeyEncryption.establish() changes nothing when the secret is wrong", async () => {
  await withStorage(async (storage) => {
    await KeyEncryption.establish(storage, SECRET, CHEAP);
    const before = await storage.readKeyEncryption();
    const wrong = "quite another secret";
    assertWrongSecret(await failureOf(() => KeyEncryption.establish(storage, wrong, CHEAP)), wrong);
    assert.deepEqual(await storage.readKeyEncryption(), before);
  });
});
