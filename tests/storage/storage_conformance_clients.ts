/** The part of the storage suite that is about what a user has as a client. */

import assert from "node:assert/strict";
import type { Storage, UserRecord } from "../../lib/storage/storage.ts";
import { ALICE, type TestProperty } from "./storage_conformance_users.ts";

const AT = ALICE.at;
const MINUTE = 60_000;
const IP = "192.0.2.1";
const OLD = ALICE.passwordHash;
const BOB = { ...ALICE, username: "bob", email: "bob@example.com" };
const KEY = { kid: "one", value: '{"kty":"EC"}', at: AT };
const NAME_HASH = new Uint8Array([1, 2, 3]);

/** The client as the storage gives it, and its credentials as plain objects. */
async function clientOf(storage: Storage, username = "alice") {
  const { user, policy, credentials } = (await storage.findClient(username))!;
  return { user, policy, credentials: credentials.map((one) => ({ ...one })) };
}

/** Alice, who has replaced her password: the old one is valid for a minute. */
async function withOldPassword(storage: Storage) {
  const { id } = (await storage.createUser(ALICE))!;
  const kept = { value: OLD, at: AT, validUntil: AT + MINUTE };
  assert.equal(await storage.replacePassword(id, { from: OLD, to: "new", kept }), true);
  const { user, credentials: [credential] } = await clientOf(storage);
  return { user, credential: credential! };
}

/** Alice with a key. */
async function withKey(storage: Storage) {
  const { id } = (await storage.createUser(ALICE))!;
  assert.equal(await storage.addCredential(id, KEY), true);
  const { user, credentials: [credential] } = await clientOf(storage);
  return { user, credential: credential! };
}

async function logOf(storage: Storage): Promise<(string | null)[]> {
  const entries = await storage.readAuthentications({ afterId: 0, since: 0, limit: 100 });
  return entries.map(({ username }) => username);
}

export function testClients(test: TestProperty): void {
  test("findClient() gives a user in any ASCII case, and what it has of its own", async (storage) => {
    assert.equal(await storage.findClient("alice"), undefined);
    const alice = (await storage.createUser(ALICE))!;
    const bob = (await storage.createUser(BOB))!;
    for (const name of ["Alice", "aLICE"]) {
      assert.deepEqual(await clientOf(storage, name), {
        user: { ...alice },
        policy: undefined,
        credentials: [],
      });
    }
    await storage.replaceClientPolicy(bob.id, undefined, '{"scopes":["bob"]}');
    await storage.addCredential(bob.id, KEY);
    const client = await clientOf(storage);
    assert.deepEqual([client.policy, client.credentials], [undefined, []]);
  });

  test("replaceClientPolicy() keeps the last policy, until it is removed", async (storage) => {
    const { id } = (await storage.createUser(ALICE))!;
    let before: string | undefined;
    for (const policy of ["{}", '{"note":"ä"}', undefined, undefined, "{}"]) {
      assert.equal(await storage.replaceClientPolicy(id, before, policy), true);
      assert.equal((await clientOf(storage)).policy, policy);
      before = policy;
    }
    assert.equal(await storage.replaceClientPolicy(Number(id) + 1, undefined, "{}"), false);
  });

  test("replaceClientPolicy() changes nothing when the policy is another by now", async (storage) => {
    const { id } = (await storage.createUser(ALICE))!;
    assert.equal(await storage.replaceClientPolicy(id, "{}", "[]"), false);
    assert.equal((await clientOf(storage)).policy, undefined);
    await storage.replaceClientPolicy(id, undefined, "{}");
    for (const from of [undefined, "[]"]) {
      assert.equal(await storage.replaceClientPolicy(id, from, undefined), false);
      assert.equal((await clientOf(storage)).policy, "{}");
    }
  });

  test("addCredential() adds a key, and refuses another of the same kid", async (storage) => {
    const { id } = (await storage.createUser(ALICE))!;
    const bob = (await storage.createUser(BOB))!;
    assert.equal(await storage.addCredential(id, KEY), true);
    assert.equal(await storage.addCredential(id, { ...KEY, value: "{}" }), false);
    assert.equal(await storage.addCredential(id, { ...KEY, kid: "two", validUntil: AT + 1 }), true);
    assert.equal(await storage.addCredential(bob.id, KEY), true, "another client's kid");
    assert.equal(await storage.addCredential(Number(bob.id) + 1, KEY), false, "nobody's");
    const { credentials } = await clientOf(storage);
    const [one, two] = credentials;
    const key = { type: "key", value: KEY.value, createdAt: AT, lastUsed: null };
    assert.deepEqual(credentials, [
      { ...key, id: one!.id, kid: "one", validUntil: null },
      { ...key, id: two!.id, kid: "two", validUntil: AT + 1 },
    ]);
  });

  test("removeCredential() removes that client's key of that kid alone", async (storage) => {
    const { user } = await withKey(storage);
    const bob = (await storage.createUser(BOB))!;
    await storage.addCredential(bob.id, KEY);
    await storage.addCredential(user.id, { ...KEY, kid: "two" });
    assert.equal(await storage.removeCredential(user.id, "three"), false);
    assert.equal(await storage.removeCredential(user.id, "one"), true);
    assert.equal(await storage.removeCredential(user.id, "one"), false);
    assert.deepEqual((await clientOf(storage)).credentials.map(({ kid }) => kid), ["two"]);
    assert.equal((await clientOf(storage, "bob")).credentials.length, 1);
  });

  test("replacePassword() keeps one other password at most, and every key", async (storage) => {
    const { user } = await withKey(storage);
    const passwords = async () => {
      const { user, credentials } = await clientOf(storage);
      const kept = credentials.filter(({ type }) => type === "password");
      return [user.passwordHash, ...kept.map(({ value, validUntil }) => [value, validUntil])];
    };
    const replace = (from: string, to: string, kept?: string) =>
      storage.replacePassword(user.id, {
        from,
        to,
        kept: kept === undefined ? undefined : { value: kept, at: AT, validUntil: AT + 5 },
      });
    assert.equal(await replace(OLD, "second", OLD), true);
    assert.deepEqual(await passwords(), ["second", [OLD, AT + 5]]);
    assert.equal(await replace("second", "third", "second"), true);
    assert.deepEqual(await passwords(), ["third", ["second", AT + 5]]);
    assert.equal(await replace("second", "stale"), false);
    assert.deepEqual(await passwords(), ["third", ["second", AT + 5]]);
    assert.equal(await replace("third", "fourth"), true);
    assert.deepEqual(await passwords(), ["fourth"]);
    assert.deepEqual((await clientOf(storage)).credentials.map(({ kid }) => kid), ["one"]);
  });

  test("replacePassword() ends no other client's passwords", async (storage) => {
    await withOldPassword(storage);
    const { id } = (await storage.createUser(BOB))!;
    assert.equal(await storage.replacePassword(id, { from: BOB.passwordHash, to: "x" }), true);
    assert.equal((await clientOf(storage)).credentials.length, 1);
  });

  test("deleteUser() takes all but the log's rows and the tombstone", async (storage) => {
    const { user } = await withKey(storage);
    await storage.replaceClientPolicy(user.id, undefined, "{}");
    const bob = (await storage.createUser(BOB))!;
    for (const one of [user, bob]) {
      await storage.recordAuthentication({ ip: IP, at: AT, user: one });
    }
    assert.equal(await storage.deleteUser(user.id, NAME_HASH), true);
    assert.equal(await storage.findClient("alice"), undefined);
    assert.deepEqual(await logOf(storage), [null, "bob"]);
    assert.equal(await storage.deleteUser(user.id, new Uint8Array([9])), false);
    const again = await storage.createUser({ ...ALICE, nameHash: new Uint8Array([9]) });
    assert.ok(again !== undefined, "a deletion that was none leaves no tombstone");
    assert.deepEqual((await clientOf(storage)).credentials, []);
    assert.equal((await clientOf(storage)).policy, undefined);
  });

  test("createUser() refuses the name of a tombstone, and no other", async (storage) => {
    const { id } = (await storage.createUser(ALICE))!;
    await storage.deleteUser(id, NAME_HASH);
    assert.equal(await storage.createUser({ ...ALICE, nameHash: NAME_HASH }), undefined);
    assert.equal(await storage.findUser("alice"), undefined);
    const bob = await storage.createUser({ ...BOB, nameHash: new Uint8Array([1, 2, 4]) });
    assert.equal(bob?.username, "bob");
  });

  test("nameKey() keeps the first key", async (storage) => {
    const keys = [];
    for (const byte of [1, 2, 3]) keys.push(await storage.nameKey(new Uint8Array([byte])));
    assert.deepEqual(keys.map((key) => [...key]), [[1], [1], [1]]);
  });

  test("recordAuthentication() takes a credential until the moment it ends", async (storage) => {
    const { user, credential } = await withOldPassword(storage);
    const record = (at: number) => storage.recordAuthentication({ ip: IP, at, user, credential });
    assert.equal(await record(AT + MINUTE), undefined);
    assert.deepEqual(await logOf(storage), []);
    assert.equal((await storage.findUser("alice"))!.lastLogin, null);
    assert.equal(await record(AT + MINUTE - 1), await storage.revision());
    assert.deepEqual(await logOf(storage), ["Alice"]);
  });

  test("recordAuthentication() writes nothing when the credential is not as it was checked", async (storage) => {
    const { user, credential } = await withKey(storage);
    const bob = (await storage.createUser(BOB))!;
    const record = (who: UserRecord, used: { id: number | string; value: string }) =>
      storage.recordAuthentication({ ip: IP, at: AT, user: who, credential: used });
    assert.equal(await record(user, { ...credential, value: "{}" }), undefined, "another value");
    assert.equal(await record(bob, credential), undefined, "another client's");
    await storage.replacePasswordHash(user.id, OLD, "!");
    assert.equal(await record(user, credential), undefined, "the user has changed");
    const changed = (await storage.findUser("alice"))!;
    await storage.removeCredential(user.id, KEY.kid);
    assert.equal(await record(changed, credential), undefined, "it was removed");
    await storage.addCredential(user.id, KEY);
    assert.equal(await record(changed, credential), undefined, "it was removed and added anew");
    assert.deepEqual(await logOf(storage), []);
    assert.equal((await clientOf(storage)).credentials[0]!.lastUsed, null);
    assert.equal((await storage.findUser("alice"))!.lastLogin, null);
  });

  test("recordAuthentication() writes when a credential was used, at most once a minute", async (storage) => {
    const { user, credential } = await withKey(storage);
    await storage.addCredential(user.id, { ...KEY, kid: "unused" });
    const used = async () => (await clientOf(storage)).credentials.map(({ lastUsed }) => lastUsed);
    const seen = [];
    for (const after of [0, MINUTE - 1, MINUTE, MINUTE + 1, 3 * MINUTE]) {
      await storage.recordAuthentication({ ip: IP, at: AT + after, user, credential });
      seen.push((await used())[0]! - AT);
    }
    assert.deepEqual(seen, [0, 0, MINUTE, MINUTE, 3 * MINUTE]);
    assert.equal((await used())[1], null);
    assert.equal((await logOf(storage)).length, 5);
  });

  test("recordAuthentication() writes last login and last use each when it is due, and not with the other", async (storage) => {
    const { user, credential } = await withKey(storage);
    const record = (at: number, used?: typeof credential) =>
      storage.recordAuthentication({ ip: IP, at, user, credential: used });
    const written = async () => {
      const { user: { lastLogin }, credentials: [used] } = await clientOf(storage);
      return [lastLogin, used!.lastUsed];
    };
    const start = Math.floor(AT / 1000) * 1000;
    await record(start);
    assert.deepEqual(await written(), [start, null]);
    await record(start + MINUTE / 2, credential);
    assert.deepEqual(await written(), [start, start + MINUTE / 2]);
    await record(start + MINUTE, credential);
    assert.deepEqual(await written(), [start + MINUTE, start + MINUTE / 2]);
  });
}
