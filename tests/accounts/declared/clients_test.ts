import assert from "node:assert/strict";
import { Accounts } from "../../../lib/accounts/accounts.ts";
import { ClientPolicy } from "../../../lib/accounts/client_policy.ts";
import { applyDeclaration, type ApplyOptions } from "../../../lib/accounts/declared/clients.ts";
import type { DeclaredClient } from "../../../lib/accounts/declared/file.ts";
import { isDomainError } from "../../../lib/base/errors.ts";
import type { Storage } from "../../../lib/storage/storage.ts";
import {
  CHEAP,
  cheapHasher,
  CLIENT,
  failureOf,
  FakeClock,
  openStorage,
  recordingLog,
  wrapStorage,
} from "../../support.ts";

const PASSWORD = "a password of these tests";
const KEY = { kty: "EC", x: "1", kid: "one" };
const hasher = cheapHasher();
const { clock } = new FakeClock();

/** A client that is declared with a password, and whatever else. */
function client(username: string, members: Partial<DeclaredClient> = {}): DeclaredClient {
  return {
    path: [],
    username,
    email: undefined,
    password: { text: PASSWORD },
    keys: [],
    policy: undefined,
    disabled: undefined,
    ...members,
  };
}

function policy(members: Partial<ClientPolicy>): { policy: ClientPolicy } {
  return { policy: ClientPolicy.parse(members) };
}

function apply(storage: Storage, clients: DeclaredClient[], options: ApplyOptions = {}) {
  const placed = clients.map((one, index) => ({ ...one, path: ["clients", index] }));
  const declaration = { file: "clients.json", clients: placed };
  return applyDeclaration({ storage, hasher, cost: CHEAP, clock }, declaration, options);
}

function accountsOver(storage: Storage): Accounts {
  return new Accounts({ storage, hasher, clock, log: recordingLog().log });
}

async function canLogIn(storage: Storage, username: string, password = PASSWORD) {
  try {
    await accountsOver(storage).authentication.authenticate({ username, password }, CLIENT);
    return true;
  } catch (error) {
    if (isDomainError(error, "invalid_credentials")) return false;
    throw error;
  }
}

/** Everything that is kept of clients. */
async function stateOf(storage: Storage): Promise<unknown> {
  const users = await storage.listUsers({ limit: 100 });
  const records = await Promise.all(users.map(({ username }) => storage.findClient(username)));
  return structuredClone([records, await storage.readTombstones()]);
}

/** Runs `body` with a storage that is empty. */
function test(property: string, body: (storage: Storage) => Promise<void>): void {
  Deno.test(`applyDeclaration() ${property}`, async () => {
    const storage = openStorage();
    await body(storage).finally(() => storage.close());
  });
}

test("makes clients with all that is declared of them", async (storage) => {
  const hash = await hasher.hash("another", "");
  const lines = await apply(storage, [
    client("b", { password: { hash }, disabled: true }),
    client("a", { email: "a@b.c", keys: [KEY], ...policy({ scopes: ["read"] }) }),
  ]);
  assert.deepEqual(lines, ["+ client a", "+ key one of client a", "+ client b"]);
  const { user, policy: stored, credentials } = (await storage.findClient("a"))!;
  assert.equal(user.email, "a@b.c");
  assert.deepEqual(JSON.parse(stored!), ClientPolicy.parse({ scopes: ["read"] }));
  assert.deepEqual(credentials.map(({ value }) => JSON.parse(value)), [KEY]);
  assert.equal(await canLogIn(storage, "a"), true);
  assert.equal((await storage.findUser("b"))!.passwordHash, `!${hash}`);
  assert.equal((await storage.findUser("b"))!.email, null);
});

test("changes nothing the second time", async (storage) => {
  const clients = [
    client("a", { email: "a@b.c", keys: [KEY, { ...KEY, kid: "two" }], disabled: true }),
    client("b", { ...policy({ claims: { x: 1, y: { z: [] } }, tokenTtl: 60, note: "n" }) }),
    client("c", { password: { hash: await hasher.hash("x", "") } }),
    client("d", { password: undefined, keys: [KEY] }),
    client("e", { ...policy({}) }),
  ];
  assert.equal((await apply(storage, clients)).length, 8);
  const before = await stateOf(storage);
  const options = { prune: true };
  assert.deepEqual(await apply(storage, clients, options), []);
  assert.deepEqual(await apply(storage, clients.toReversed()), []);
  assert.deepEqual(await stateOf(storage), before);
});

test("tells what changes, by client, and does it", async (storage) => {
  await apply(storage, [
    client("b", { ...policy({ scopes: ["read"], note: "old" }) }),
    client("a", { keys: [KEY, { ...KEY, kid: "two" }] }),
  ]);
  const clients = [
    client("B", { ...policy({ scopes: ["read", "write"], requireDpop: true, tokenTtl: 900 }) }),
    client("a", {
      email: "a@b.c",
      password: { text: "another password" },
      disabled: true,
      keys: [{ ...KEY, x: "2" }, { ...KEY, kid: "three" }],
    }),
  ];
  assert.deepEqual(await apply(storage, clients), [
    "~ client a: email none → a@b.c",
    "~ client a: password",
    "~ client a: disabled",
    "~ key one of client a",
    "+ key three of client a",
    "- key two of client a",
    "~ client b: policy.scopes read → read write",
    "~ client b: policy.token_ttl none → 15m",
    "~ client b: policy.require_dpop false → true",
    '~ client b: policy.note "old" → none',
  ]);
  assert.deepEqual(await apply(storage, clients), []);
  const { credentials } = (await storage.findClient("a"))!;
  assert.deepEqual(credentials.map(({ value }) => JSON.parse(value).x), ["2", "1"]);
  assert.deepEqual(await apply(storage, [client("b")]), [
    "~ client b: policy.scopes read write → none",
    "~ client b: policy.token_ttl 15m → none",
    "~ client b: policy.require_dpop true → false",
  ]);
  assert.equal((await storage.findClient("b"))!.policy, undefined);
});

test("leaves a client disabled, and its address, unless the file says otherwise", async (storage) => {
  await apply(storage, [client("a", { email: "a@b.c" })]);
  await accountsOver(storage).setDisabled("a", true);
  assert.deepEqual(await apply(storage, [client("a")]), []);
  assert.equal((await storage.findUser("a"))!.email, "a@b.c");
  assert.deepEqual(await apply(storage, [client("a", { disabled: false })]), [
    "~ client a: enabled",
  ]);
  assert.equal(await canLogIn(storage, "a"), true);
});

test("leaves a client with keys alone no password that anybody knows", async (storage) => {
  const registered = { username: "a", email: "a@b.c" };
  const password = await accountsOver(storage).register(registered, "");
  const rotated = await accountsOver(storage).rotatePassword("a", 3600, "");
  const keysOnly = [client("a", { password: undefined, keys: [KEY] })];
  assert.deepEqual(await apply(storage, keysOnly), [
    "~ client a: password",
    "+ key one of client a",
  ]);
  for (const known of [password, rotated]) {
    assert.equal(await canLogIn(storage, "a", known), false);
  }
  assert.deepEqual(await apply(storage, keysOnly), []);
});

test("leaves the clients alone that the file does not name, unless it prunes", async (storage) => {
  for (const username of ["old", "a"]) {
    await accountsOver(storage).register({ username, email: `${username}@b.c` }, "", PASSWORD);
  }
  assert.deepEqual(await apply(storage, [client("A")]), []);
  const taking = [client("A", { email: "old@b.c" })];
  assert.deepEqual(await apply(storage, taking, { prune: true }), [
    "~ client a: email a@b.c → old@b.c",
    "- client old",
  ]);
  assert.equal(await storage.findUser("old"), undefined);
  for (const dryRun of [true, false]) {
    const error = await failureOf(() => apply(storage, [...taking, client("OLD")], { dryRun }));
    assert.ok(isDomainError(error, "configuration"), String(error));
    assert.match(error.hints.join(), /^\$\.clients\[1\]\.username: .* deleted/);
  }
});

test("refuses the address of another user, and stores nothing then", async (storage) => {
  await accountsOver(storage).register({ username: "a", email: "a@b.c" }, "");
  const before = await stateOf(storage);
  const clients = [client("b"), client("c", { email: "A@b.c" })];
  const error = await failureOf(() => apply(storage, clients));
  assert.ok(isDomainError(error, "configuration"), String(error));
  assert.match(error.hints.join(), /^\$\.clients\[1\]\.email: it is the address of a$/);
  assert.deepEqual(await stateOf(storage), before);
});

test("stores nothing in a dry run, and tells the same", async (storage) => {
  await apply(storage, [client("a", { keys: [KEY] }), client("old")]);
  const before = await stateOf(storage);
  const clients = [client("a", { password: { text: "another password" } }), client("b")];
  const writes: string[] = [];
  const watched = wrapStorage(storage, (own) => ({
    applyClients: (...change) => {
      writes.push("applyClients");
      return own.applyClients(...change);
    },
    nameKey: (fresh) => {
      writes.push("nameKey");
      return own.nameKey(fresh);
    },
  }));
  const told = await apply(watched, clients, { prune: true, dryRun: true });
  assert.deepEqual([await stateOf(storage), writes], [before, []]);
  assert.deepEqual(await apply(watched, clients, { prune: true }), told);
  assert.equal(told.length, 4);
});

test("mends a policy that is damaged", async (storage) => {
  await apply(storage, [client("a")]);
  const { user } = (await storage.findClient("a"))!;
  await storage.replaceClientPolicy(user.id, undefined, "[");
  assert.deepEqual(await apply(storage, [client("a")]), [
    "~ client a: policy, which was damaged",
  ]);
  assert.equal((await storage.findClient("a"))!.policy, undefined);
});

test("replaces a key that would end by one that does not", async (storage) => {
  await apply(storage, [client("a")]);
  const { user } = (await storage.findClient("a"))!;
  const value = JSON.stringify(KEY);
  await storage.addCredential(user.id, { kid: "one", value, at: 0, validUntil: 1 });
  assert.deepEqual(await apply(storage, [client("a", { keys: [KEY] })]), ["~ key one of client a"]);
  assert.equal((await storage.findClient("a"))!.credentials[0]!.validUntil, null);
});

test("decides anew when others change a client after it was read", async (storage) => {
  await apply(storage, [client("a", { keys: [KEY] })]);
  const { user } = (await storage.findClient("a"))!;
  let others = 0;
  const contended = wrapStorage(storage, (own) => ({
    applyClients: async (...change) => {
      if (others++ === 0) await own.removeCredential(user.id, "one");
      if (others === 2) await own.createUser({ ...user, username: "b", email: null, at: 0 });
      return await own.applyClients(...change);
    },
  }));
  const clients = [client("a", { keys: [KEY], ...policy({ note: "n" }) }), client("b")];
  assert.deepEqual(await apply(contended, clients), [
    '~ client a: policy.note none → "n"',
    "+ key one of client a",
  ]);
  assert.equal(others, 3);
  assert.equal((await storage.findClient("a"))!.credentials.length, 1);
});

test("gives up when others never cease to change clients", async (storage) => {
  const busy = wrapStorage(storage, () => ({ applyClients: () => Promise.resolve(false) }));
  const error = await failureOf(() => apply(busy, [client("a")]));
  assert.ok(isDomainError(error, "conflict"), String(error));
});
