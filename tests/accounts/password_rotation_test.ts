import assert from "node:assert/strict";
import { hash } from "@node-rs/argon2";
import fc from "fast-check";
import { isDomainError } from "../../lib/base/errors.ts";
import { CLIENT } from "../support.ts";
import { ALICE, makeAccounts, refusalOf } from "./make_accounts.ts";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const EARLIER = { memoryCost: 16, timeCost: 2, parallelism: 2 };

/** Accounts in which Alice is registered, and whether a password of hers is right. */
async function withAlice() {
  const made = makeAccounts();
  const { accounts } = made;
  const password = await accounts.register(ALICE, CLIENT.ip);
  const login = (password: string) =>
    accounts.authentication.authenticate({ username: "alice", password }, CLIENT);
  const isRight = (password: string) =>
    login(password).then(() => true, (error) => {
      assert.ok(isDomainError(error, "invalid_credentials"), String(error));
      return false;
    });
  const rotate = (overlap: number) => accounts.rotatePassword("alice", overlap, CLIENT.ip);
  const hashNow = async () => (await made.storage.findUser("alice"))!.passwordHash;
  return { ...made, password, login, isRight, rotate, hashNow };
}

Deno.test("Accounts.rotatePassword() leaves each password valid exactly while it says", async () => {
  const step = fc.record({ overlap: fc.nat(20), pause: fc.nat(20) });
  const steps = fc.array(step, { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const { password, isRight, rotate, time } = await withAlice();
      /** When each password ends, in milliseconds. */
      const ends = new Map([[password, Infinity]]);
      for (const { overlap, pause } of steps) {
        const before = [...ends.keys()].at(-1)!;
        for (const name of ends.keys()) ends.set(name, -Infinity);
        ends.set(before, time.now + overlap * 1000);
        ends.set(await rotate(overlap), Infinity);
        for (const at of [time.now, time.now + overlap * 1000 - 1, time.now + pause * 1000]) {
          time.now = Math.max(time.now, at);
          for (const [one, end] of ends) assert.equal(await isRight(one), time.now < end);
        }
      }
    }),
    { numRuns: 25 },
  );
});

Deno.test("Accounts.rotatePassword() gives a UUIDv4, whose hash has salt and cost of the one before", async () => {
  const { rotate, hashNow, storage } = await withAlice();
  const before = await hashNow();
  assert.match(await rotate(60), UUID_V4);
  const after = await hashNow();
  assert.notEqual(after, before);
  assert.deepEqual(after.split("$").slice(0, 5), before.split("$").slice(0, 5));
  const { credentials } = (await storage.findClient("alice"))!;
  assert.deepEqual(credentials.map(({ type, value }) => [type, value]), [["password", before]]);
});

Deno.test("Authentication.authenticate() takes either of two passwords, and says when it was the one that ends", async () => {
  const { accounts, password, login, isRight, rotate } = await withAlice();
  const next = await rotate(60);
  assert.equal((await login(next)).credential, undefined);
  assert.notEqual((await login(password)).credential, undefined);
  assert.equal(await isRight(crypto.randomUUID()), false);
  assert.equal((await accounts.findClient("alice")).credentials.length, 1);
});

Deno.test("Authentication.authenticate() waits with the upgrade to another cost until one password is left", async () => {
  const { accounts, storage, time, store } = makeAccounts();
  await store(await hash("the old password", EARLIER));
  const login = (password: string) =>
    accounts.authentication.authenticate({ username: "alice", password }, CLIENT);
  const cost = async () => (await storage.findUser("alice"))!.passwordHash.split("$")[3];
  const password = await accounts.rotatePassword("alice", 60, CLIENT.ip);
  for (const one of [password, "the old password"]) {
    await login(one);
    assert.equal(await cost(), "m=16,t=2,p=2");
  }
  time.advance(60);
  await login(password);
  assert.equal(await cost(), "m=8,t=1,p=1");
  await login(password);
});

Deno.test("Authentication.recordLogin() records a login by the password that ends, and when it was used", async () => {
  const { accounts, password, login, rotate, storage, time, logged } = await withAlice();
  await rotate(60);
  const authenticated = await login(password);
  assert.notEqual(await accounts.authentication.recordLogin(authenticated, CLIENT), undefined);
  assert.deepEqual(logged().map((row) => row.user_id), [authenticated.user.id]);
  const [used] = (await storage.findClient("alice"))!.credentials;
  assert.equal(used!.lastUsed, time.now);
});

Deno.test("Authentication.recordLogin() records nothing when the password ended or was replaced since the check", async () => {
  type Made = Awaited<ReturnType<typeof withAlice>>;
  const changes: ((made: Made) => unknown)[] = [
    ({ time }) => time.advance(60),
    ({ rotate }) => rotate(60),
    ({ accounts }) => accounts.resetPassword("alice", CLIENT.ip),
    ({ accounts }) => accounts.setDisabled("alice", true),
  ];
  for (const change of changes) {
    const made = await withAlice();
    await made.rotate(60);
    const authenticated = await made.login(made.password);
    await change(made);
    assert.equal(await made.accounts.authentication.recordLogin(authenticated, CLIENT), undefined);
    assert.deepEqual(made.logged(), []);
  }
});

Deno.test("Accounts.resetPassword() ends every password that was valid", async () => {
  const { accounts, password, isRight, rotate } = await withAlice();
  const second = await rotate(60);
  const third = await accounts.resetPassword("alice", CLIENT.ip);
  const right = [];
  for (const one of [password, second, third]) right.push(await isRight(one));
  assert.deepEqual(right, [false, false, true]);
  assert.deepEqual((await accounts.findClient("alice")).credentials, []);
});

Deno.test("Accounts.setDisabled() refuses both passwords, and enabling gives both back", async () => {
  const { accounts, password, isRight, rotate } = await withAlice();
  const both = [password, await rotate(60)];
  for (const disabled of [true, false]) {
    await accounts.setDisabled("alice", disabled);
    for (const one of both) assert.equal(await isRight(one), !disabled);
  }
});

Deno.test("Accounts.rotatePassword() leaves a disabled user disabled, with both passwords", async () => {
  const { accounts, password, isRight, rotate } = await withAlice();
  await accounts.setDisabled("alice", true);
  const both = [password, await rotate(60)];
  for (const one of both) assert.equal(await isRight(one), false);
  await accounts.setDisabled("alice", false);
  for (const one of both) assert.equal(await isRight(one), true);
});

Deno.test("Accounts.rotatePassword() lets a user log in again whose row held no hash", async () => {
  const { accounts, store } = makeAccounts();
  await store("x");
  const password = await accounts.rotatePassword("alice", 60, CLIENT.ip);
  const { user } = await accounts.authentication.authenticate(
    { username: "alice", password },
    CLIENT,
  );
  assert.equal(user.username, "alice");
});

Deno.test("Accounts.rotatePassword() gives passwords that are right when two rotate at once", async () => {
  const { password, isRight, rotate } = await withAlice();
  const both = await Promise.all([rotate(60), rotate(60)]);
  for (const one of both) assert.equal(await isRight(one), true);
  assert.equal(await isRight(password), false, "a third one has ended");
});

/** What others may do to Alice after she has authenticated. */
const MEANWHILE: Record<string, (made: Awaited<ReturnType<typeof withAlice>>) => Promise<unknown>> =
  {
    "reset her password": ({ accounts }) => accounts.resetPassword("alice", "operator"),
    "replace it": ({ rotate }) => rotate(60),
    "disable her": ({ accounts }) => accounts.setDisabled("alice", true),
    "delete her": ({ accounts }) => accounts.deleteUser("alice"),
  };

for (const [what, act] of Object.entries(MEANWHILE)) {
  Deno.test(`Accounts.rotatePassword() gives nothing to a client when others ${what} meanwhile`, async () => {
    const made = await withAlice();
    const self = await made.login(made.password);
    await act(made);
    const before = await made.storage.findClient("alice");
    const refusal = await refusalOf(() =>
      made.accounts.rotatePassword("alice", 60, CLIENT.ip, self)
    );
    assert.equal(refusal.code, "overloaded");
    assert.deepEqual(await made.storage.findClient("alice"), before);
  });
}

Deno.test("Accounts.rotatePassword() gives nothing by a key that was removed meanwhile", async () => {
  const { accounts, storage, hashNow } = await withAlice();
  await accounts.addKey("alice", { kid: "one", kty: "EC" });
  const { user, credentials: [credential] } = (await storage.findClient("alice"))!;
  const rotate = () => accounts.rotatePassword("alice", 60, CLIENT.ip, { user, credential });
  await accounts.removeKey("alice", "one");
  const before = await hashNow();
  assert.equal((await refusalOf(rotate)).code, "overloaded");
  assert.equal(await hashNow(), before);
  await accounts.addKey("alice", { kid: "one", kty: "EC" });
  assert.equal((await refusalOf(rotate)).code, "overloaded", "another key of that name");
});
