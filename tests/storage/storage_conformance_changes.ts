/** The part of the storage suite that is about many clients changed at once. */

import assert from "node:assert/strict";
import type { ClientChanges, Storage } from "../../lib/storage/storage.ts";
import { ALICE, type TestProperty } from "./storage_conformance_users.ts";

const AT = ALICE.at;
const OLD = ALICE.passwordHash;
const KEY = { kid: "one", value: '{"kty":"EC"}', at: AT };
const BOB = { ...ALICE, username: "bob", email: "bob@example.com", keys: [] };
const NOTHING: ClientChanges = { remove: [], update: [], create: [] };
const UPDATE = { removeKeys: [], addKeys: [] };

/** Everything that the storage holds of clients. */
async function stateOf(storage: Storage): Promise<unknown> {
  const users = await storage.listUsers({ limit: 100 });
  const clients = await Promise.all(users.map(({ username }) => storage.findClient(username)));
  return structuredClone([clients, await storage.readTombstones()]);
}

/** Alice with a key and an old password, and Carol. */
async function filled(storage: Storage) {
  const alice = (await storage.createUser(ALICE))!;
  const carol =
    (await storage.createUser({ ...ALICE, username: "carol", email: "c@example.com" }))!;
  await storage.addCredential(alice.id, KEY);
  const kept = { value: OLD, at: AT, validUntil: AT + 1 };
  await storage.replacePassword(alice.id, { from: OLD, to: "new", kept });
  return { alice, carol };
}

export function testChanges(test: TestProperty): void {
  test("applyClients() removes, updates and creates clients, all in one", async (storage) => {
    const { alice, carol } = await filled(storage);
    const expected = [(await storage.findClient("alice"))!];
    const update = {
      userId: alice.id,
      email: "c@example.com", // which Carol leaves
      passwordHash: { from: "new", to: "newer", endsOthers: true },
      policy: "{}",
      removeKeys: ["one"],
      addKeys: [{ ...KEY, value: "{}" }, { ...KEY, kid: "two" }],
    };
    const nameHash = new Uint8Array([7]);
    const done = await storage.applyClients(expected, {
      remove: [{ userId: carol.id, nameHash }],
      update: [update],
      create: [{ ...BOB, email: null, policy: "[]", keys: [KEY] }],
    });
    assert.equal(done, true);
    const { user, policy, credentials } = (await storage.findClient("alice"))!;
    assert.deepEqual([user.email, user.passwordHash, policy], ["c@example.com", "newer", "{}"]);
    const keys = credentials.map(({ type, kid, value }) => [type, kid, value]);
    assert.deepEqual(keys, [["key", "one", "{}"], ["key", "two", KEY.value]]);
    const bob = (await storage.findClient("bob"))!;
    assert.deepEqual([bob.user.email, bob.policy, bob.credentials[0]?.kid], [null, "[]", "one"]);
    assert.equal(await storage.findUser("carol"), undefined);
    assert.deepEqual((await storage.readTombstones()).map((hash) => [...hash]), [[7]]);
  });

  test("applyClients() leaves what a change does not name", async (storage) => {
    const { alice } = await filled(storage);
    await storage.replaceClientPolicy(alice.id, undefined, "{}");
    const before = await stateOf(storage);
    const update = { ...UPDATE, userId: alice.id };
    assert.equal(await storage.applyClients([], { ...NOTHING, update: [update] }), true);
    assert.deepEqual(await stateOf(storage), before);
    const passwordHash = { from: "new", to: "!new", endsOthers: false };
    const toggled = { ...update, passwordHash, policy: null };
    assert.equal(await storage.applyClients([], { ...NOTHING, update: [toggled] }), true);
    const { user, policy, credentials } = (await storage.findClient("alice"))!;
    assert.deepEqual([user.passwordHash, policy, credentials.length], ["!new", undefined, 2]);
  });

  test("applyClients() changes nothing when one of its changes cannot be made", async (storage) => {
    const { alice, carol } = await filled(storage);
    const gone = (await storage.createUser({ ...ALICE, username: "gone", email: "g@b.c" }))!;
    await storage.deleteUser(gone.id, new Uint8Array([1]));
    const before = await stateOf(storage);
    const create = [BOB];
    const update = { ...UPDATE, userId: alice.id };
    const impossible: Record<string, Partial<ClientChanges>> = {
      "a name that is taken": { create: [BOB, { ...BOB, username: "ALICE", email: "x@b.c" }] },
      "an address that is taken": {
        create: [BOB, { ...BOB, username: "x", email: "C@example.com" }],
      },
      "a deleted name": {
        create: [BOB, { ...BOB, username: "x", email: null, nameHash: new Uint8Array([1]) }],
      },
      "a repeated kid": { create: [{ ...BOB, keys: [KEY, KEY] }] },
      "a user that is gone": {
        create,
        remove: [{ userId: gone.id, nameHash: new Uint8Array([2]) }],
      },
      "another's address": { update: [{ ...update, policy: "1", email: "C@example.com" }] },
      "another password": {
        update: [
          { ...UPDATE, userId: carol.id, policy: "1" },
          { ...update, passwordHash: { from: OLD, to: "x", endsOthers: false } },
        ],
      },
      "a key that is gone": { update: [{ ...update, policy: "1", removeKeys: ["two"] }] },
      "a kid that is taken": { update: [{ ...update, policy: "1", addKeys: [KEY] }] },
    };
    for (const [what, changes] of Object.entries(impossible)) {
      assert.equal(await storage.applyClients([], { ...NOTHING, ...changes }), false, what);
      assert.deepEqual(await stateOf(storage), before, what);
    }
  });

  test("applyClients() changes nothing when a client it expects is another by now", async (storage) => {
    const { alice, carol } = await filled(storage);
    const others: Record<string, () => Promise<unknown>> = {
      "its policy": () => storage.replaceClientPolicy(alice.id, undefined, "{}"),
      "its password": () => storage.replacePasswordHash(alice.id, "new", "newer"),
      "its keys": () => storage.removeCredential(alice.id, "one"),
      "that it is": () => storage.deleteUser(alice.id, new Uint8Array([1])),
    };
    const update = [{ ...UPDATE, userId: carol.id, policy: "{}" }];
    for (const [what, change] of Object.entries(others)) {
      const expected = [(await storage.findClient("alice"))!];
      await change();
      assert.equal(await storage.applyClients(expected, { ...NOTHING, update }), false, what);
      assert.equal((await storage.findClient("carol"))!.policy, undefined, what);
    }
  });

  test("applyClients() goes on when a client it expects was only used", async (storage) => {
    const { alice } = await filled(storage);
    const expected = [(await storage.findClient("alice"))!];
    const [key] = expected[0]!.credentials;
    const { user } = expected[0]!;
    await storage.recordAuthentication({ ip: "::1", at: AT, user, credential: key });
    const update = [{ ...UPDATE, userId: alice.id, policy: "{}" }];
    assert.equal(await storage.applyClients(expected, { ...NOTHING, update }), true);
    assert.equal((await storage.findClient("alice"))!.policy, "{}");
  });
}
