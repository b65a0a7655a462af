/** The part of the storage suite that is about noticing what has changed. */

import assert from "node:assert/strict";
import type { KeyRecord, Storage } from "../../lib/storage/storage.ts";
import { ALICE, type TestProperty } from "./storage_conformance_users.ts";

const bytes = (...values: number[]) => new Uint8Array(values);
const FIRST: KeyRecord = { id: 1, key: bytes(1, 2, 3), exp: 11 };
const SECOND: KeyRecord = { id: 2, key: bytes(4, 5, 6), exp: 12 };
const NINTH: KeyRecord = { id: 9, key: bytes(9), exp: 19 };
const SECRET = { derivation: bytes(1), check: bytes(2) };
const POLICY = new TextEncoder().encode('{"rotation":360}');

async function change(storage: Storage, put: KeyRecord[], remove: number[] = []): Promise<void> {
  assert.equal(await storage.changeKeys(await storage.readKeys(), { put, remove }), true);
}

/** Every change of what `readKeys` gives, by what it does to FIRST and SECOND; the secret is new once. */
const CHANGES: Record<string, (storage: Storage) => Promise<unknown>> = {
  "a key is added": (storage) => change(storage, [NINTH]),
  "a key is deleted": (storage) => change(storage, [], [2]),
  "every key is deleted": (storage) => change(storage, [], [1, 2]),
  "a key has another exp": (storage) => change(storage, [{ ...SECOND, exp: SECOND.exp + 1 }]),
  "a key has another id": (storage) => change(storage, [{ ...SECOND, id: 3 }], [2]),
  "a key has other bytes": (storage) => change(storage, [{ ...SECOND, key: bytes(4, 5, 7) }]),
  "the secret is another": async (storage) =>
    storage.rekey(await storage.readKeys(), [FIRST, SECOND], SECRET),
  "a policy is written": (storage) => storage.writePolicy(POLICY),
};

/** Tries each change on the keys FIRST and SECOND, or on none while there is no secret. */
async function forEachChange(
  storage: Storage,
  tryOne: (what: string, apply: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  await tryOne("a secret is set", () => storage.createKeyEncryption(SECRET));
  for (const [what, apply] of Object.entries(CHANGES)) {
    const { records } = await storage.readKeys();
    await change(storage, [FIRST, SECOND], records.map(({ id }) => id));
    await tryOne(what, () => apply(storage));
  }
}

/** Everything that changes users and the log, and no key. */
async function useUsers(storage: Storage): Promise<void> {
  const user = (await storage.createUser(ALICE))!;
  await storage.recordAuthentication({ ip: "192.0.2.1", at: ALICE.at, user });
  await storage.recordAuthentication({ ip: "192.0.2.1", at: ALICE.at, user: null });
  await storage.replacePasswordHash(user.id, user.passwordHash, "another");
  await storage.purgeAuthentications(ALICE.at + 1000, 1);
  await storage.replaceClientPolicy(user.id, undefined, "{}");
  await storage.addCredential(user.id, { kid: "one", value: "{}", at: ALICE.at });
  await storage.replacePassword(user.id, { from: "another", to: "a third" });
  await storage.nameKey(bytes(1, 2, 3));
  assert.equal(await storage.deleteUser(user.id, bytes(4)), true);
}

/** What `readKeys` gives, comparable. */
async function contentsOf(storage: Storage): Promise<unknown> {
  const { records, odd, check, policy } = await storage.readKeys();
  const rows = records.map(({ id, key, exp }) => ({ id, key: [...key], exp }));
  return { rows, odd, check: [...check], policy: policy && [...policy] };
}

export function testRevision(test: TestProperty): void {
  test("revision() grows with every change of keys, secret or policy", async (storage) => {
    await forEachChange(storage, async (what, apply) => {
      const before = await storage.revision();
      assert.equal((await storage.readKeys()).revision, before);
      await apply();
      assert.ok(await storage.revision() > before, what);
      assert.equal((await storage.readKeys()).revision, await storage.revision());
    });
  });

  test("revision() stays the same while nothing changes, or only users and the log do", async (storage) => {
    await storage.createKeyEncryption(SECRET);
    await change(storage, [FIRST]);
    const before = await storage.revision();
    await useUsers(storage);
    await storage.readKeys();
    await storage.readKeyEncryption();
    assert.equal(await storage.revision(), before);
  });

  test("assertWritable() changes nothing that can be read", async (storage) => {
    await storage.createKeyEncryption(SECRET);
    await change(storage, [FIRST]);
    const user = (await storage.createUser(ALICE))!;
    const before = [await storage.revision(), await contentsOf(storage)];
    await storage.assertWritable();
    assert.deepEqual([await storage.revision(), await contentsOf(storage)], before);
    assert.deepEqual(await storage.listUsers({ limit: 9 }), [{ ...user }]);
    assert.deepEqual(await storage.newestAuthentications(1), []);
  });

  test("assertWritable() rejects when the storage is closed, which counts as a failure", async (storage) => {
    await storage.close();
    const before = storage.failures.unreachable;
    await assert.rejects(storage.assertWritable(), { code: "storage_unavailable" });
    assert.equal(storage.failures.unreachable, before + 1);
  });

  test("revision() stays the same when a change is refused", async (storage) => {
    const stale = await storage.readKeys();
    await storage.createKeyEncryption(SECRET);
    const before = await storage.revision();
    assert.equal(await storage.changeKeys(stale, { put: [FIRST], remove: [] }), false);
    assert.equal(await storage.rekey(stale, [FIRST], SECRET), false);
    assert.equal(await storage.createKeyEncryption(SECRET), false);
    assert.equal(await storage.revision(), before);
  });

  test("changeKeys() and rekey() do nothing when anything has changed since", async (storage) => {
    const another = { derivation: bytes(3), check: bytes(4) };
    await forEachChange(storage, async (what, apply) => {
      const expected = await storage.readKeys();
      await apply();
      const before = await contentsOf(storage);
      assert.equal(await storage.changeKeys(expected, { put: [NINTH], remove: [1] }), false, what);
      assert.equal(await storage.rekey(expected, [NINTH], another), false, what);
      assert.deepEqual(await contentsOf(storage), before, what);
    });
  });

  test("changeKeys() does nothing when a change was made and undone since", async (storage) => {
    await change(storage, [FIRST]);
    const expected = await storage.readKeys();
    await change(storage, [NINTH]);
    await change(storage, [], [9]);
    assert.equal(await storage.changeKeys(expected, { put: [SECOND], remove: [] }), false);
  });

  test("changeKeys() goes on when users and the log have changed since", async (storage) => {
    const expected = await storage.readKeys();
    await useUsers(storage);
    assert.equal(await storage.changeKeys(expected, { put: [FIRST], remove: [] }), true);
    assert.deepEqual((await storage.readKeys()).records.map(({ id }) => id), [1]);
  });

  test("changeKeys() and rekey() expect the secret that the snapshot had, too", async (storage) => {
    await storage.createKeyEncryption(SECRET);
    const expected = { ...await storage.readKeys(), check: bytes(3) };
    assert.equal(await storage.changeKeys(expected, { put: [FIRST], remove: [] }), false);
    assert.equal(await storage.rekey(expected, [FIRST], SECRET), false);
    assert.deepEqual((await storage.readKeys()).records, []);
  });

  test("writePolicy() keeps the last policy, which readKeys() gives with the keys", async (storage) => {
    assert.equal((await storage.readKeys()).policy, undefined);
    await storage.writePolicy(bytes(0, 255));
    await storage.writePolicy(POLICY);
    await change(storage, [FIRST]);
    assert.deepEqual([...(await storage.readKeys()).policy!], [...POLICY]);
    await storage.rekey(await storage.readKeys(), [FIRST], SECRET);
    assert.deepEqual([...(await storage.readKeys()).policy!], [...POLICY], "a rekey keeps it");
  });
}
