import assert from "node:assert/strict";
import { hash } from "@node-rs/argon2";
import { Accounts, isDisabled } from "../../lib/accounts/accounts.ts";
import { RequestError } from "../../lib/base/errors.ts";
import { PasswordHasher } from "../../lib/accounts/password.ts";
import { SqliteDatabase } from "../../lib/storage/sqlite/database.ts";
import { SqliteStorage } from "../../lib/storage/sqlite/sqlite_storage.ts";
import { CHEAP, failureOf, FakeClock } from "../support.ts";

const ALICE = { username: "alice", email: "alice@example.com" };
const IP = "192.0.2.1";
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const LIMITS = { concurrency: 2, queue: 100 };

/** Accounts over a database in memory, and a look at its log. */
function makeAccounts(hasher = new PasswordHasher(CHEAP, LIMITS)) {
  const database = SqliteDatabase.open(":memory:");
  const storage = new SqliteStorage(database);
  const time = new FakeClock();
  const accounts = new Accounts({ storage, hasher, clock: time.clock });
  const logged = () =>
    database.all<{ request_ip: string; request_timestamp: string; user_id: number | null }>(
      "SELECT request_ip, request_timestamp, user_id FROM auth_logs ORDER BY id",
    ).map((row) => ({ ...row }));
  return { accounts, storage, time, logged };
}

async function refusalOf(work: () => unknown): Promise<RequestError> {
  const error = await failureOf(work);
  assert.ok(error instanceof RequestError);
  return error;
}

Deno.test("Accounts.register() gives a UUIDv4 that is not kept anywhere", async () => {
  const { accounts, storage } = makeAccounts();
  const password = await accounts.register(ALICE);
  assert.match(password, UUID_V4);
  const user = await storage.findUser("alice");
  assert.match(user!.passwordHash, /^\$argon2id\$/);
  assert.ok(!JSON.stringify(user).includes(password));
});

Deno.test("Accounts.register() gives every user a password of its own", async () => {
  const { accounts } = makeAccounts();
  const one = await accounts.register(ALICE);
  const other = await accounts.register({ username: "bob", email: "bob@example.com" });
  assert.notEqual(one, other);
  const wrong = { username: "bob", password: one, ip: IP };
  assert.equal((await refusalOf(() => accounts.authenticate(wrong))).code, "invalid_credentials");
});

Deno.test("Accounts.register() answers a taken name and a taken address in the same words", async () => {
  const { accounts } = makeAccounts();
  const password = await accounts.register(ALICE);
  const refusals = [];
  for (
    const taken of [
      ALICE,
      { username: "ALICE", email: "other@example.com" },
      { username: "other", email: "Alice@EXAMPLE.com" },
    ]
  ) refusals.push(await refusalOf(() => accounts.register(taken)));
  assert.ok(refusals.every(({ code }) => code === "already_registered"));
  assert.equal(new Set(refusals.map(({ message }) => message)).size, 1);
  const user = await accounts.authenticate({ username: "alice", password, ip: IP });
  assert.equal(user.email, ALICE.email);
});

Deno.test("Accounts.authenticate() finds the user in any ASCII case, under the registered name", async () => {
  const { accounts } = makeAccounts();
  const password = await accounts.register({ ...ALICE, username: "Alice" });
  const user = await accounts.authenticate({ username: "aLICE", password, ip: IP });
  assert.equal(user.username, "Alice");
});

Deno.test("Accounts.authenticate() answers an unknown user and a wrong password alike", async () => {
  const { accounts } = makeAccounts();
  const password = await accounts.register(ALICE);
  const unknown = await refusalOf(() =>
    accounts.authenticate({ username: "nobody", password, ip: IP })
  );
  const wrong = await refusalOf(() =>
    accounts.authenticate({ username: "alice", password: crypto.randomUUID(), ip: IP })
  );
  assert.equal(unknown.code, "invalid_credentials");
  assert.deepEqual([unknown.code, unknown.message], [wrong.code, wrong.message]);
});

Deno.test("Accounts.authenticate() puts each refusal on record, without a user", async () => {
  const { accounts, logged } = makeAccounts();
  await accounts.register(ALICE);
  for (const username of ["alice", "nobody"]) {
    await refusalOf(() => accounts.authenticate({ username, password: "wrong", ip: IP }));
  }
  const row = { request_ip: IP, request_timestamp: "2030-01-01 00:00:00", user_id: null };
  assert.deepEqual(logged(), [row, row]);
});

Deno.test("Accounts.recordLogin() puts the success on record, once, with the user", async () => {
  const { accounts, storage, time, logged } = makeAccounts();
  const password = await accounts.register(ALICE);
  const user = await accounts.authenticate({ username: "alice", password, ip: IP });
  assert.deepEqual(logged(), []);
  assert.equal((await storage.findUser("alice"))!.lastLogin, null);
  time.advance(61);
  await accounts.recordLogin(user, "2001:db8::1");
  assert.deepEqual(logged(), [{
    request_ip: "2001:db8::1",
    request_timestamp: "2030-01-01 00:01:01",
    user_id: user.id,
  }]);
  assert.equal((await storage.findUser("alice"))!.lastLogin, "2030-01-01 00:01:01");
});

Deno.test("Accounts.authenticate() upgrades a hash of another cost, and the password stays", async () => {
  const { accounts, storage, time } = makeAccounts();
  const passwordHash = await hash("old", { memoryCost: 16, timeCost: 2, parallelism: 2 });
  await storage.createUser({ ...ALICE, passwordHash, at: time.now });
  const credentials = { username: "alice", password: "old", ip: IP };
  await accounts.authenticate(credentials);
  const upgraded = (await storage.findUser("alice"))!.passwordHash;
  assert.match(upgraded, /\$m=8,t=1,p=1\$/);
  await accounts.authenticate(credentials);
  assert.equal((await storage.findUser("alice"))!.passwordHash, upgraded);
});

Deno.test("Accounts.authenticate() upgrades no hash for a wrong password", async () => {
  const { accounts, storage, time } = makeAccounts();
  const passwordHash = await hash("old", { memoryCost: 16, timeCost: 2, parallelism: 2 });
  await storage.createUser({ ...ALICE, passwordHash, at: time.now });
  await refusalOf(() => accounts.authenticate({ username: "alice", password: "new", ip: IP }));
  assert.equal((await storage.findUser("alice"))!.passwordHash, passwordHash);
});

/** A hasher that checks passwords but has no room to make another hash. */
class FullHasher extends PasswordHasher {
  override hash(): Promise<string> {
    return Promise.reject(new RequestError("overloaded", "Too many", 1));
  }
}

Deno.test("Accounts.authenticate() succeeds when there is no room for the upgrade", async () => {
  const { accounts, storage, time } = makeAccounts(new FullHasher(CHEAP, LIMITS));
  const passwordHash = await hash("old", { memoryCost: 16, timeCost: 2, parallelism: 2 });
  await storage.createUser({ ...ALICE, passwordHash, at: time.now });
  const user = await accounts.authenticate({ username: "alice", password: "old", ip: IP });
  assert.equal(user.username, "alice");
  assert.equal((await storage.findUser("alice"))!.passwordHash, passwordHash);
});

Deno.test("Accounts.register() stores nobody when there is no room for the hash", async () => {
  const { accounts, storage } = makeAccounts(new FullHasher(CHEAP, LIMITS));
  assert.equal((await refusalOf(() => accounts.register(ALICE))).code, "overloaded");
  assert.equal(await storage.findUser("alice"), undefined);
});

Deno.test("Accounts.recordLogin() refuses a user whose password was replaced since the check", async () => {
  const { accounts, logged } = makeAccounts();
  const password = await accounts.register(ALICE);
  const user = await accounts.authenticate({ username: "alice", password, ip: IP });
  await accounts.resetPassword("alice");
  assert.equal((await refusalOf(() => accounts.recordLogin(user, IP))).code, "invalid_credentials");
  assert.deepEqual(logged().map((row) => row.user_id), [null]);
});

Deno.test("Accounts.resetPassword() makes the old password useless and the new one right", async () => {
  const { accounts } = makeAccounts();
  const old = await accounts.register(ALICE);
  const password = await accounts.resetPassword("ALICE");
  assert.match(password, UUID_V4);
  const login = (password: string) =>
    accounts.authenticate({ username: "alice", password, ip: IP });
  assert.equal((await refusalOf(() => login(old))).code, "invalid_credentials");
  assert.equal((await login(password)).username, "alice");
});

Deno.test("Accounts.setDisabled() refuses the right password as a wrong one, until it is undone", async () => {
  const { accounts, storage, logged } = makeAccounts();
  const password = await accounts.register(ALICE);
  const login = (password: string) =>
    accounts.authenticate({ username: "alice", password, ip: IP });
  for (let twice = 0; twice < 2; twice++) await accounts.setDisabled("alice", true);
  assert.equal(isDisabled((await storage.findUser("alice"))!), true);
  const [right, wrong] = [
    await refusalOf(() => login(password)),
    await refusalOf(() => login("x")),
  ];
  assert.deepEqual([right.code, right.message], [wrong.code, wrong.message]);
  assert.deepEqual(logged().map((row) => row.user_id), [null, null]);
  for (let twice = 0; twice < 2; twice++) await accounts.setDisabled("alice", false);
  assert.equal((await login(password)).username, "alice");
});

Deno.test("Accounts.resetPassword() leaves a disabled user disabled", async () => {
  const { accounts } = makeAccounts();
  await accounts.register(ALICE);
  await accounts.setDisabled("alice", true);
  const password = await accounts.resetPassword("alice");
  const login = { username: "alice", password, ip: IP };
  assert.equal((await refusalOf(() => accounts.authenticate(login))).code, "invalid_credentials");
  await accounts.setDisabled("alice", false);
  assert.equal((await accounts.authenticate(login)).username, "alice");
});

Deno.test("Accounts tells an operator of a name that nobody has", async () => {
  const { accounts } = makeAccounts();
  const works = [
    () => accounts.setDisabled("nobody", true),
    () => accounts.resetPassword("nobody"),
  ];
  for (const work of works) assert.equal((await refusalOf(work)).code, "not_found");
});
