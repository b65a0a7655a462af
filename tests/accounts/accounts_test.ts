import assert from "node:assert/strict";
import { hash } from "@node-rs/argon2";
import { type Accounts, isDisabled } from "../../lib/accounts/accounts.ts";
import type { PasswordHasher } from "../../lib/accounts/password.ts";
import { DomainError } from "../../lib/base/errors.ts";
import { cheapHasher, CLIENT } from "../support.ts";
import { ALICE, makeAccounts, refusalOf } from "./make_accounts.ts";

const IP = CLIENT.ip;
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** What a hash cost before. */
const EARLIER = { memoryCost: 16, timeCost: 2, parallelism: 2 };

Deno.test("Accounts.register() gives a UUIDv4 that is not kept anywhere", async () => {
  const { accounts, storage } = makeAccounts();
  const password = await accounts.register(ALICE, IP);
  assert.match(password, UUID_V4);
  const user = await storage.findUser("alice");
  assert.match(user!.passwordHash, /^\$argon2id\$/);
  assert.ok(!JSON.stringify(user).includes(password));
});

Deno.test("Accounts.register() gives every user a password of its own", async () => {
  const { accounts } = makeAccounts();
  const one = await accounts.register(ALICE, IP);
  const other = await accounts.register({ username: "bob", email: "bob@example.com" }, IP);
  assert.notEqual(one, other);
  const wrong = { username: "bob", password: one };
  assert.equal(
    (await refusalOf(() => accounts.authentication.authenticate(wrong, CLIENT))).code,
    "invalid_credentials",
  );
});

Deno.test("Accounts.register() answers a taken name and a taken address in the same words", async () => {
  const { accounts } = makeAccounts();
  const password = await accounts.register(ALICE, IP);
  const refusals = [];
  for (
    const taken of [
      ALICE,
      { username: "ALICE", email: "other@example.com" },
      { username: "other", email: "Alice@EXAMPLE.com" },
    ]
  ) refusals.push(await refusalOf(() => accounts.register(taken, IP)));
  assert.ok(refusals.every(({ code }) => code === "already_registered"));
  assert.equal(new Set(refusals.map(({ message }) => message)).size, 1);
  const { user } = await accounts.authentication.authenticate(
    { username: "alice", password },
    CLIENT,
  );
  assert.equal(user.email, ALICE.email);
});

Deno.test("Authentication.authenticate() finds the user in any ASCII case, under the registered name", async () => {
  const { accounts } = makeAccounts();
  const password = await accounts.register({ ...ALICE, username: "Alice" }, IP);
  const { user } = await accounts.authentication.authenticate(
    { username: "aLICE", password },
    CLIENT,
  );
  assert.equal(user.username, "Alice");
});

Deno.test("Authentication.authenticate() answers an unknown user and a wrong password alike", async () => {
  const { accounts } = makeAccounts();
  const password = await accounts.register(ALICE, IP);
  const unknown = await refusalOf(() =>
    accounts.authentication.authenticate({ username: "nobody", password }, CLIENT)
  );
  const wrong = await refusalOf(() =>
    accounts.authentication.authenticate(
      { username: "alice", password: crypto.randomUUID() },
      CLIENT,
    )
  );
  assert.equal(unknown.code, "invalid_credentials");
  assert.deepEqual([unknown.code, unknown.message], [wrong.code, wrong.message]);
});

Deno.test("Authentication.authenticate() puts each refusal on record, without a user", async () => {
  const { accounts, logged } = makeAccounts();
  await accounts.register(ALICE, IP);
  for (const username of ["alice", "nobody"]) {
    await refusalOf(() =>
      accounts.authentication.authenticate({ username, password: "wrong" }, CLIENT)
    );
  }
  const row = { request_ip: IP, request_timestamp: "2030-01-01 00:00:00", user_id: null };
  assert.deepEqual(logged(), [row, row]);
});

Deno.test("Authentication.recordLogin() puts the success on record, once, with the user", async () => {
  const { accounts, storage, time, logged } = makeAccounts();
  const password = await accounts.register(ALICE, IP);
  const authenticated = await accounts.authentication.authenticate(
    { username: "alice", password },
    CLIENT,
  );
  const { user } = authenticated;
  assert.deepEqual(logged(), []);
  assert.equal((await storage.findUser("alice"))!.lastLogin, null);
  time.advance(61);
  const client = { ip: "2001:db8::1", network: "2001:db8::/64" };
  assert.equal(
    await accounts.authentication.recordLogin(authenticated, client),
    await storage.revision(),
  );
  assert.deepEqual(logged(), [{
    request_ip: "2001:db8::1",
    request_timestamp: "2030-01-01 00:01:01",
    user_id: user.id,
  }]);
  assert.equal((await storage.findUser("alice"))!.lastLogin, Date.UTC(2030, 0, 1, 0, 1, 1));
});

Deno.test("Authentication.authenticate() upgrades a hash of another cost, and the password stays", async () => {
  const { accounts, storage, store } = makeAccounts();
  await store(await hash("old", EARLIER));
  const credentials = { username: "alice", password: "old" };
  await accounts.authentication.authenticate(credentials, CLIENT);
  const upgraded = (await storage.findUser("alice"))!.passwordHash;
  assert.match(upgraded, /\$m=8,t=1,p=1\$/);
  await accounts.authentication.authenticate(credentials, CLIENT);
  assert.equal((await storage.findUser("alice"))!.passwordHash, upgraded);
});

Deno.test("Authentication.authenticate() upgrades no hash for a wrong password", async () => {
  const { accounts, storage, store } = makeAccounts();
  const { passwordHash } = await store(await hash("old", EARLIER));
  await refusalOf(() =>
    accounts.authentication.authenticate({ username: "alice", password: "new" }, CLIENT)
  );
  assert.equal((await storage.findUser("alice"))!.passwordHash, passwordHash);
});

/** A hasher that checks passwords but has no room to make another hash. */
function fullHasher(): PasswordHasher {
  const hasher = cheapHasher();
  hasher.hash = () => Promise.reject(new DomainError("overloaded", "Too many", { retryAfter: 1 }));
  return hasher;
}

Deno.test("Authentication.authenticate() succeeds when there is no room for the upgrade", async () => {
  const { accounts, storage, store } = makeAccounts(fullHasher());
  const { passwordHash } = await store(await hash("old", EARLIER));
  const { user } = await accounts.authentication.authenticate({
    username: "alice",
    password: "old",
  }, CLIENT);
  assert.equal(user.username, "alice");
  assert.equal((await storage.findUser("alice"))!.passwordHash, passwordHash);
});

Deno.test("Accounts.register() stores nobody when there is no room for the hash", async () => {
  const { accounts, storage } = makeAccounts(fullHasher());
  assert.equal((await refusalOf(() => accounts.register(ALICE, IP))).code, "overloaded");
  assert.equal(await storage.findUser("alice"), undefined);
});

Deno.test("Authentication.recordLogin() records nothing when the user has changed since the check", async () => {
  const changes = [
    (accounts: Accounts) => accounts.resetPassword("alice", IP),
    (accounts: Accounts) => accounts.setDisabled("alice", true),
  ];
  for (const change of changes) {
    const { accounts, storage, logged } = makeAccounts();
    const password = await accounts.register(ALICE, IP);
    const authenticated = await accounts.authentication.authenticate({
      username: "alice",
      password,
    }, CLIENT);
    await change(accounts);
    assert.equal(await accounts.authentication.recordLogin(authenticated, CLIENT), undefined);
    assert.deepEqual(logged(), []);
    assert.equal((await storage.findUser("alice"))!.lastLogin, null);
  }
});

Deno.test("Accounts.resetPassword() makes the old password useless and the new one right", async () => {
  const { accounts } = makeAccounts();
  const old = await accounts.register(ALICE, IP);
  const password = await accounts.resetPassword("ALICE", IP);
  assert.match(password, UUID_V4);
  const login = (password: string) =>
    accounts.authentication.authenticate({ username: "alice", password }, CLIENT);
  assert.equal((await refusalOf(() => login(old))).code, "invalid_credentials");
  assert.equal((await login(password)).user.username, "alice");
});

Deno.test("Accounts.setDisabled() refuses the right password as a wrong one, until it is undone", async () => {
  const { accounts, storage, logged } = makeAccounts();
  const password = await accounts.register(ALICE, IP);
  const login = (password: string) =>
    accounts.authentication.authenticate({ username: "alice", password }, CLIENT);
  for (let twice = 0; twice < 2; twice++) await accounts.setDisabled("alice", true);
  assert.equal(isDisabled((await storage.findUser("alice"))!), true);
  const [right, wrong] = [
    await refusalOf(() => login(password)),
    await refusalOf(() => login("x")),
  ];
  assert.deepEqual([right.code, right.message], [wrong.code, wrong.message]);
  assert.deepEqual(logged().map((row) => row.user_id), [null, null]);
  for (let twice = 0; twice < 2; twice++) await accounts.setDisabled("alice", false);
  assert.equal((await login(password)).user.username, "alice");
});

Deno.test("Accounts.resetPassword() leaves a disabled user disabled", async () => {
  const { accounts } = makeAccounts();
  await accounts.register(ALICE, IP);
  await accounts.setDisabled("alice", true);
  const password = await accounts.resetPassword("alice", IP);
  const login = { username: "alice", password };
  assert.equal(
    (await refusalOf(() => accounts.authentication.authenticate(login, CLIENT))).code,
    "invalid_credentials",
  );
  await accounts.setDisabled("alice", false);
  assert.equal((await accounts.authentication.authenticate(login, CLIENT)).user.username, "alice");
});

Deno.test("Accounts tells an operator of a name that nobody has", async () => {
  const { accounts } = makeAccounts();
  const works = [
    () => accounts.setDisabled("nobody", true),
    () => accounts.resetPassword("nobody", IP),
  ];
  for (const work of works) assert.equal((await refusalOf(work)).code, "not_found");
});
