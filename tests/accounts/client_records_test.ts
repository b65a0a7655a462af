import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { ClientPolicy } from "../../lib/accounts/client_policy.ts";
import { hashName } from "../../lib/accounts/tombstone.ts";
import { CLIENT, openStorage } from "../support.ts";
import { ALICE, makeAccounts, refusalOf } from "./make_accounts.ts";

const KEY = { kty: "EC", crv: "P-256", x: "x", y: "y", kid: "one" };
const POLICY = ClientPolicy.parse({
  scopes: ["read"],
  claims: { role: "job" },
  tokenTtl: 60,
  note: "ours",
});

/** Accounts in which Alice is registered. */
async function withAlice() {
  const made = makeAccounts();
  const password = await made.accounts.register(ALICE, CLIENT.ip);
  return { ...made, password };
}

Deno.test("Accounts.changePolicy() keeps a policy, which authenticate() gives", async () => {
  const { accounts, password } = await withAlice();
  const credentials = { username: "alice", password };
  const none = ClientPolicy.parse({});
  for (const [before, policy] of [[none, POLICY], [POLICY, none]] as const) {
    const make = (found: ClientPolicy | undefined) => {
      assert.deepEqual(found, before);
      return policy;
    };
    assert.deepEqual(await accounts.changePolicy("ALICE", make), policy);
    assert.deepEqual(
      (await accounts.authentication.authenticate(credentials, CLIENT)).policy,
      policy,
    );
  }
});

Deno.test("Accounts.changePolicy() loses nothing when several change a policy at once", async () => {
  const { accounts, storage } = await withAlice();
  const scopes = ["a", "b", "c", "d"];
  await Promise.all(scopes.map((scope) =>
    accounts.changePolicy("alice", (before) => ({
      ...before!,
      scopes: [...before!.scopes, scope],
    }))
  ));
  const { policy } = (await storage.findClient("alice"))!;
  assert.deepEqual(JSON.parse(policy!).scopes.toSorted(), scopes);
});

Deno.test("Accounts.changePolicy() mends what is no policy", async () => {
  const { accounts, storage } = await withAlice();
  await storage.replaceClientPolicy((await storage.findUser("alice"))!.id, undefined, "{");
  await accounts.changePolicy("alice", (before) => {
    assert.equal(before, undefined);
    return POLICY;
  });
  assert.deepEqual(JSON.parse((await storage.findClient("alice"))!.policy!), POLICY);
});

Deno.test("Authentication.authenticate() lets nobody in whose policy cannot be read", async () => {
  const { accounts, password, storage } = await withAlice();
  const { id } = (await storage.findUser("alice"))!;
  await storage.replaceClientPolicy(id, undefined, "{");
  const credentials = { username: "alice", password };
  const { code } = await refusalOf(() => accounts.authentication.authenticate(credentials, CLIENT));
  assert.equal(code, "database_unusable");
});

Deno.test("Accounts.addKey() keeps a key as it is, once a kid, until removeKey() takes it", async () => {
  const { accounts, time } = await withAlice();
  await accounts.addKey("alice", KEY);
  const { code } = await refusalOf(() => accounts.addKey("alice", { ...KEY, x: "other" }));
  assert.equal(code, "conflict");
  const { credentials: [key, ...others] } = await accounts.findClient("alice");
  assert.deepEqual(others, []);
  assert.deepEqual(JSON.parse(key!.value), KEY);
  assert.deepEqual([key!.type, key!.kid, key!.createdAt, key!.validUntil], [
    "key",
    "one",
    time.now,
    null,
  ]);
  await accounts.removeKey("alice", "one");
  assert.deepEqual((await accounts.findClient("alice")).credentials, []);
  assert.equal((await refusalOf(() => accounts.removeKey("alice", "one"))).code, "not_found");
});

Deno.test("Accounts.deleteUser() takes the user, keeps its rows, and never gives its name again", async () => {
  const { accounts, password, logged } = await withAlice();
  const credentials = { username: "alice", password };
  await accounts.authentication.recordLogin(
    await accounts.authentication.authenticate(credentials, CLIENT),
    CLIENT,
  );
  await accounts.deleteUser("ALICE");
  assert.deepEqual(logged().map((row) => row.user_id), [null]);
  const refused = await refusalOf(() => accounts.authentication.authenticate(credentials, CLIENT));
  assert.equal(refused.code, "invalid_credentials");
  await accounts.register({ username: "bob", email: ALICE.email }, CLIENT.ip);
  const taken = await refusalOf(() =>
    accounts.register({ ...ALICE, username: "bob", email: "b@example.com" }, CLIENT.ip)
  );
  for (const username of ["alice", "aLICE"]) {
    const again = { username, email: "new@example.com" };
    const { code, message } = await refusalOf(() => accounts.register(again, CLIENT.ip));
    assert.deepEqual([code, message], ["already_registered", taken.message]);
  }
});

Deno.test("Authentication.recordLogin() records nothing when the user was deleted since the check", async () => {
  const { accounts, password, logged } = await withAlice();
  const authenticated = await accounts.authentication.authenticate(
    { username: "alice", password },
    CLIENT,
  );
  await accounts.deleteUser("alice");
  assert.equal(await accounts.authentication.recordLogin(authenticated, CLIENT), undefined);
  assert.deepEqual(logged(), []);
});

Deno.test("Accounts tells an operator of a client that nobody is", async () => {
  const { accounts } = makeAccounts();
  const works = [
    () => accounts.findClient("nobody"),
    () => accounts.changePolicy("nobody", () => POLICY),
    () => accounts.addKey("nobody", KEY),
    () => accounts.removeKey("nobody", "one"),
    () => accounts.deleteUser("nobody"),
    () => accounts.rotatePassword("nobody", 1, CLIENT.ip),
  ];
  for (const work of works) {
    assert.equal((await refusalOf(work, String(work))).code, "not_found");
  }
});

Deno.test("hashName() is the HMAC-SHA-256 of the lower-cased name under the database's key", async () => {
  const storage = openStorage();
  const key = new Uint8Array(32).fill(0x0b);
  assert.deepEqual(await storage.nameKey(key), key);
  const expected = createHmac("sha256", key).update("alice").digest("hex");
  for (const name of ["alice", "Alice", "ALICE"]) {
    assert.equal(Buffer.from(await hashName(storage, name)).toString("hex"), expected, name);
  }
  await storage.close();
});

Deno.test("hashName() makes a key of 32 bytes for each database, and other hashes of other names", async () => {
  const [one, other] = [openStorage(), openStorage()];
  const hash = await hashName(one, "alice");
  assert.deepEqual(await hashName(one, "alice"), hash);
  assert.notDeepEqual(await hashName(one, "alicf"), hash);
  assert.notDeepEqual(await hashName(other, "alice"), hash);
  assert.equal((await one.nameKey(new Uint8Array())).length, 32);
  await one.close();
  await other.close();
});
