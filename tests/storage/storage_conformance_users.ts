/** The part of the storage suite that is about users and the authentication log. */

import assert from "node:assert/strict";
import type { NewUser, Storage } from "../../lib/storage/storage.ts";
import { pagesOfUsers } from "../../lib/storage/user_pages.ts";

/** Registers a test of one property of an empty storage. */
export type TestProperty = (property: string, body: (storage: Storage) => Promise<void>) => void;

const AT = Date.UTC(2030, 0, 2, 3, 4, 5, 999);
/** Times are kept to the second. */
const WRITTEN_AT = Math.floor(AT / 1000) * 1000;
const IP = "192.0.2.1";

export const ALICE: NewUser = {
  username: "Alice",
  email: "alice@example.com",
  passwordHash: "$argon2id$one",
  at: AT,
};
const BOB: NewUser = { ...ALICE, username: "bob", email: "bob@example.com" };
const EVERYTHING = { afterId: 0, since: 0, limit: 100 };

/** Everything in the authentication log, without the ids. */
async function logOf(storage: Storage) {
  const entries = await storage.readAuthentications(EVERYTHING);
  return entries.map(({ ip, at, username }) => [ip, at, username]);
}

export function testUsers(test: TestProperty): void {
  test("createUser() gives the stored user, who is found in any ASCII case", async (storage) => {
    const user = (await storage.createUser(ALICE))!;
    assert.deepEqual({ ...user }, {
      id: user.id,
      username: "Alice",
      passwordHash: ALICE.passwordHash,
      email: ALICE.email,
      dateRegistered: WRITTEN_AT,
      lastLogin: null,
    });
    for (const name of ["Alice", "alice", "ALICE"]) {
      assert.deepEqual(await storage.findUser(name), user);
    }
    for (const name of ["", "alic", "alice ", "Alice%", "%", "_lice"]) {
      assert.equal(await storage.findUser(name), undefined, name);
    }
  });

  test("samplePasswordHashes() gives those of the first and the last user and of some between", async (storage) => {
    assert.deepEqual(await storage.samplePasswordHashes(4), []);
    for (let number = 1; number <= 9; number++) {
      const name = `user${number}`;
      await storage.createUser({ ...ALICE, username: name, email: null, passwordHash: name });
      if (number === 1) assert.deepEqual(await storage.samplePasswordHashes(4), ["user1"]);
    }
    assert.deepEqual(await storage.samplePasswordHashes(4), ["user1", "user3", "user6", "user9"]);
    assert.deepEqual((await storage.samplePasswordHashes(64)).length, 9);
    assert.deepEqual(await storage.samplePasswordHashes(1), ["user1"]);
  });

  test("createUser() refuses a taken name or address in any ASCII case", async (storage) => {
    const user = await storage.createUser(ALICE);
    const other = { ...ALICE, passwordHash: "$argon2id$two" };
    for (
      const taken of [
        other,
        { ...other, username: "aLICE", email: "b@example.com" },
        { ...other, username: "bob", email: "ALICE@example.COM" },
      ]
    ) assert.equal(await storage.createUser(taken), undefined);
    assert.deepEqual(await storage.findUser("alice"), user);
    assert.equal(await storage.findUser("bob"), undefined);
  });

  test("createUser() stores one of several who want the same name at once", async (storage) => {
    const created = await Promise.all(
      ["a", "b", "c"].map((box) => storage.createUser({ ...ALICE, email: `${box}@example.com` })),
    );
    assert.equal(created.filter((user) => user !== undefined).length, 1);
  });

  test("createUser() takes any text as a value and none as SQL", async (storage) => {
    const username = `x'); DROP TABLE users; --"\\?1`;
    const user = await storage.createUser({ ...ALICE, username });
    assert.equal(user?.username, username);
    assert.deepEqual(await storage.findUser(username), user);
  });

  test("replacePasswordHash() replaces the hash that was read, and no other", async (storage) => {
    const { id } = (await storage.createUser(ALICE))!;
    assert.equal(await storage.replacePasswordHash(id, "stale", "new"), false);
    assert.equal(
      await storage.replacePasswordHash(Number(id) + 1, ALICE.passwordHash, "new"),
      false,
    );
    assert.equal((await storage.findUser("alice"))!.passwordHash, ALICE.passwordHash);
    assert.equal(await storage.replacePasswordHash(id, ALICE.passwordHash, "new"), true);
    assert.equal((await storage.findUser("alice"))!.passwordHash, "new");
  });

  test("listUsers() has every user in the order of registration", async (storage) => {
    assert.deepEqual(await storage.listUsers({ limit: 100 }), []);
    const users = [{ ...await storage.createUser(BOB) }, { ...await storage.createUser(ALICE) }];
    assert.deepEqual(await storage.listUsers({ limit: 100 }), users);
  });

  test("listUsers() gives a page after an id, and pagesOfUsers() every user once", async (storage) => {
    const names = ["carol", "Alice", "bob", "dave"];
    for (const username of names) {
      await storage.createUser({ ...ALICE, username, email: `${username}@example.com` });
    }
    const first = await storage.listUsers({ limit: 2 });
    assert.deepEqual(first.map(({ username }) => username), ["carol", "Alice"]);
    const next = await storage.listUsers({ afterId: first[1]!.id, limit: 1 });
    assert.deepEqual(next.map(({ username }) => username), ["bob"]);
    for (const limit of [1, 2, 3, 4, 5]) {
      const pages = await Array.fromAsync(pagesOfUsers(storage, limit));
      assert.deepEqual(pages.flat().map(({ username }) => username), names);
      assert.ok(pages.every((page) => page.length > 0 && page.length <= limit));
    }
  });

  test("findUserByEmail() finds the user of an address in any ASCII case, and no other", async (storage) => {
    const alice = await storage.createUser(ALICE);
    await storage.createUser({ ...BOB, email: null });
    assert.deepEqual(await storage.findUserByEmail("ALICE@example.COM"), alice);
    for (const email of ["", "alice", "bob@example.com", "%"]) {
      assert.equal(await storage.findUserByEmail(email), undefined, email);
    }
  });

  test("recordAuthentication() sets the last login after a success only", async (storage) => {
    const alice = (await storage.createUser(ALICE))!;
    await storage.createUser(BOB);
    const lastLogin = async (name: string) => (await storage.findUser(name))!.lastLogin;
    assert.equal(
      await storage.recordAuthentication({ ip: IP, at: AT, user: null }),
      await storage.revision(),
    );
    assert.equal(await lastLogin("alice"), null);
    assert.equal(
      await storage.recordAuthentication({ ip: IP, at: AT, user: alice }),
      await storage.revision(),
    );
    assert.equal(await lastLogin("alice"), WRITTEN_AT);
    assert.equal(await lastLogin("bob"), null);
    assert.deepEqual(await logOf(storage), [[IP, WRITTEN_AT, null], [IP, WRITTEN_AT, "Alice"]]);
  });

  test("recordAuthentication() sets the last login at most once a minute, and after a clock set back", async (storage) => {
    const alice = (await storage.createUser(ALICE))!;
    const seen = [];
    for (const second of [0, 59, 61, 120, 122, -3600]) {
      await storage.recordAuthentication({ ip: IP, at: WRITTEN_AT + second * 1000, user: alice });
      seen.push(((await storage.findUser("alice"))!.lastLogin! - WRITTEN_AT) / 1000);
    }
    assert.deepEqual(seen, [0, 0, 61, 61, 122, -3600]);
    assert.equal((await logOf(storage)).length, 6);
  });

  test("recordAuthentication() gives the revision of the keys as they are by then", async (storage) => {
    const before = await storage.recordAuthentication({ ip: IP, at: AT, user: null });
    const put = [{ id: 1, key: new Uint8Array([1]), exp: 2 }];
    assert.equal(await storage.changeKeys(await storage.readKeys(), { put, remove: [] }), true);
    const after = await storage.recordAuthentication({ ip: IP, at: AT, user: null });
    assert.ok(before! < after!);
    assert.equal(after, (await storage.readKeys()).revision);
  });

  test("recordAuthentication() writes nothing when the user has changed since", async (storage) => {
    const alice = (await storage.createUser(ALICE))!;
    await storage.replacePasswordHash(alice.id, alice.passwordHash, "$argon2id$two");
    const gone = { ...alice, id: Number(alice.id) + 1 };
    for (const user of [alice, gone]) {
      assert.equal(await storage.recordAuthentication({ ip: IP, at: AT, user }), undefined);
    }
    assert.deepEqual(await logOf(storage), []);
    assert.equal((await storage.findUser("alice"))!.lastLogin, null);
    const now = (await storage.findUser("alice"))!;
    assert.equal(
      await storage.recordAuthentication({ ip: IP, at: AT, user: now }),
      await storage.revision(),
    );
    assert.deepEqual(await logOf(storage), [[IP, WRITTEN_AT, "Alice"]]);
  });

  test("readAuthentications() gives what is asked for, in the order of ids", async (storage) => {
    const alice = (await storage.createUser(ALICE))!;
    const bob = (await storage.createUser(BOB))!;
    for (const [second, user] of [alice, null, bob, alice, bob].entries()) {
      await storage.recordAuthentication({ ip: `192.0.2.${second}`, at: AT + second * 1000, user });
    }
    const ips = async (query: Partial<Parameters<Storage["readAuthentications"]>[0]>) =>
      (await storage.readAuthentications({ ...EVERYTHING, ...query }))
        .map(({ ip }) => Number(ip.split(".")[3]));
    assert.deepEqual(await ips({}), [0, 1, 2, 3, 4]);
    assert.deepEqual(await ips({ limit: 2 }), [0, 1]);
    assert.deepEqual(await ips({ since: AT + 3000 }), [3, 4]);
    assert.deepEqual(await ips({ username: "aLICE" }), [0, 3]);
    assert.deepEqual(await ips({ username: "nobody" }), []);
    const [, second] = await storage.readAuthentications(EVERYTHING);
    assert.deepEqual(await ips({ afterId: second!.id }), [2, 3, 4]);
    assert.deepEqual(await ips({ afterId: second!.id, username: "bob", limit: 1 }), [2]);
  });

  test("seekAuthentications() gives where the last entries begin, and those since a time", async (storage) => {
    const alice = (await storage.createUser(ALICE))!;
    const bob = (await storage.createUser(BOB))!;
    const begin = async (start: Partial<Parameters<Storage["seekAuthentications"]>[0]>) => {
      const { since, username } = { since: 0, username: undefined, ...start };
      const afterId = await storage.seekAuthentications({ ...start, since });
      const query = { afterId, since, username, limit: 100 };
      return (await storage.readAuthentications(query)).map(({ ip }) => Number(ip.split(".")[3]));
    };
    assert.deepEqual(await begin({ last: 2 }), [], "in an empty log");
    // The clock is set back between the second and the third.
    for (
      const [entry, [second, user]] of [
        [1, alice],
        [7, null],
        [2, bob],
        [5, alice],
        [6, bob],
      ].entries() as Iterable<[number, [number, typeof alice | null]]>
    ) {
      const at = AT + second * 1000;
      await storage.recordAuthentication({ ip: `192.0.2.${entry}`, at, user });
    }
    assert.deepEqual(await begin({}), [0, 1, 2, 3, 4]);
    assert.deepEqual(await begin({ last: 2 }), [3, 4]);
    assert.deepEqual(await begin({ last: 9 }), [0, 1, 2, 3, 4]);
    assert.deepEqual(await begin({ since: AT + 5000 }), [1, 3, 4]);
    assert.deepEqual(await begin({ since: AT + 5000, last: 2 }), [3, 4]);
    assert.deepEqual(await begin({ since: AT + 5000, last: 9 }), [1, 3, 4]);
    assert.deepEqual(await begin({ since: AT + 8000 }), []);
    assert.deepEqual(await begin({ username: "aLICE", last: 1 }), [3]);
    assert.deepEqual(await begin({ username: "bob", since: AT + 5000 }), [4]);
    assert.deepEqual(await begin({ username: "bob", since: AT + 5000, last: 2 }), [4]);
    assert.deepEqual(await begin({ username: "nobody", last: 1 }), []);
    const since = AT + 8000;
    const end = await storage.seekAuthentications({ since, username: undefined });
    await storage.recordAuthentication({ ip: IP, at: since, user: null });
    assert.equal((await storage.readAuthentications({ afterId: end, since, limit: 9 })).length, 1);
  });

  test("countAuthentications() counts successes since then, and has the newest time", async (storage) => {
    assert.deepEqual({ ...await storage.countAuthentications(0) }, {
      count: 0,
      newest: null,
      odd: null,
    });
    const user = (await storage.createUser(ALICE))!;
    for (const at of [AT - 5000, AT, AT + 1000]) {
      await storage.recordAuthentication({ ip: IP, at, user });
    }
    await storage.recordAuthentication({ ip: IP, at: AT + 9000, user: null });
    const counted = { ...await storage.countAuthentications(AT) };
    assert.deepEqual(counted, { count: 2, newest: WRITTEN_AT + 1000, odd: null });
  });

  test("purgeAuthentications() finds old entries behind one that is dated in the future", async (storage) => {
    await storage.recordAuthentication({ ip: "192.0.2.9", at: AT + 1_000_000, user: null });
    for (let index = 0; index < 5; index++) {
      await storage.recordAuthentication({ ip: "192.0.2.1", at: AT, user: null });
    }
    assert.equal(await storage.purgeAuthentications(AT + 1000, 3), 3);
    assert.equal(await storage.purgeAuthentications(AT + 1000, 3), 2);
    const [left] = await storage.newestAuthentications(10);
    assert.equal(left?.ip, "192.0.2.9");
  });

  test("purgeAuthentications() deletes what is older, at most the limit at a time", async (storage) => {
    for (let second = 0; second < 10; second++) {
      const at = AT + second * 1000;
      await storage.recordAuthentication({ ip: "192.0.2.1", at, user: null });
    }
    assert.equal(await storage.purgeAuthentications(AT, 100), 0);
    const before = AT + 7000;
    const purged = [];
    for (let round = 0; round < 4; round++) {
      purged.push(await storage.purgeAuthentications(before, 3));
    }
    assert.deepEqual(purged, [3, 3, 1, 0]);
    assert.equal(await storage.purgeAuthentications(AT + 20_000, 100), 3);
  });
}
