/** What other programs, other settings and odd requests bring to the tables. */

import assert from "node:assert/strict";
import fc from "fast-check";
import type { PostgresStorage } from "../../../lib/storage/postgres/postgres_storage.ts";
import { ALICE, AT, NAME_HASH, type TestDatabase } from "./databases.ts";

const LARGEST = Number.MAX_SAFE_INTEGER;
const BEYOND = "9007199254740993";

/** Settings of a role that would change what statements give or take if they relied on them. */
const SETTINGS = [
  "timezone = 'Pacific/Auckland'",
  "datestyle = 'German'",
  "intervalstyle = 'iso_8601'",
  "bytea_output = 'escape'",
  "extra_float_digits = -15",
  "standard_conforming_strings = off",
  "lc_numeric = 'C'",
  "default_transaction_isolation = 'serializable'",
];

export function testForeignValues(database: TestDatabase): void {
  testNumbers(database);
  testTimes(database);
  testTexts(database);

  Deno.test("PostgresStorage gives the same whatever the role's settings are", async () => {
    const plain = await database.openEmpty();
    const expected = await use(plain).finally(() => plain.close());
    for (const setting of SETTINGS) await database.psql(`ALTER ROLE jwks SET ${setting}`);
    const set = await database.openEmpty();
    try {
      assert.deepEqual(await use(set), expected);
    } finally {
      await database.psql("ALTER ROLE jwks RESET ALL");
      await set.close();
    }
  });
}

/** What a storage gives of what it was given, but for its numbers. */
async function use(storage: PostgresStorage): Promise<unknown> {
  const put = [{ id: AT, key: new Uint8Array([0, 92, 120, 255]), exp: AT / 1000 }];
  await storage.changeKeys(await storage.readKeys(), { put, remove: [] });
  const user = (await storage.createUser({ ...ALICE, nameHash: NAME_HASH }))!;
  await storage.addCredential(user.id, { kid: "k\\'", value: '{"a":"\\u0000"}', at: AT });
  const { credentials: [credential] } = (await storage.findClient("alice"))!;
  await storage.recordAuthentication({ ip: "::1", at: AT, user });
  await storage.recordAuthentication({ ip: "::1", at: AT + 5000, user, credential });
  const found = (await storage.findClient("alice"))!;
  const entries = await storage.newestAuthentications(9);
  const { records, policy } = await storage.readKeys();
  return {
    records,
    policy,
    user: { ...found.user, id: 0 },
    credentials: found.credentials.map((one) => ({ ...one, id: 0 })),
    entries: entries.map((entry) => ({ ...entry, id: 0 })),
    since: await storage.seekAuthentications({ since: AT + 5000 }) === entries[1]!.id,
    count: await storage.countAuthentications(AT + 1000),
    purged: await storage.purgeAuthentications(AT + 5000, 9),
  };
}

function testNumbers(database: TestDatabase): void {
  database.testBeside(
    "readKeys() names the rows whose kid or exp is beyond exact numbers, and reads the others",
    async (storage, other) => {
      await other.write(
        `INSERT INTO keys (kid, key, exp) VALUES (1, '\\x01', 10), (${LARGEST}, '\\x02', ${LARGEST}),
       (9007199254740992, '\\x03', 10), (${BEYOND}, '\\x04', 10),
       (-9223372036854775808, '\\x05', 10), (2, '\\x06', ${BEYOND}), (3, '\\x07', -10)`,
      );
      const { records, odd } = await storage.readKeys();
      assert.deepEqual(records.map(({ id }) => id), [1, 3, LARGEST]);
      const kid = "its kid is larger than any key's";
      assert.deepEqual(odd, [
        { id: "-9223372036854775808", reason: kid },
        { id: "2", reason: "its exp is no time" },
        { id: "9007199254740992", reason: kid },
        { id: BEYOND, reason: kid },
      ]);
    },
  );

  database.testBeside(
    "changeKeys() deletes an odd row by its number, digit by digit, and none beside it",
    async (storage, other) => {
      await other.write(
        `INSERT INTO keys VALUES (9007199254740992, '\\x03', 10), (${BEYOND}, '\\x04', 10)`,
      );
      const change = { put: [], remove: [BEYOND] };
      assert.equal(await storage.changeKeys(await storage.readKeys(), change), true);
      const { odd } = await storage.readKeys();
      assert.deepEqual(odd.map(({ id }) => id), ["9007199254740992"]);
    },
  );

  database.testBeside(
    "users, credentials and entries with ids beyond exact numbers are found and changed by them",
    async (storage, other) => {
      await other.write(
        `INSERT INTO users (id, username, password_hash)
       VALUES (9007199254740992, 'bob', 'x'), (${BEYOND}, 'alice', 'x')`,
      );
      await other.write(
        `INSERT INTO client_credentials (id, user_id, type, kid, value, created_at)
       VALUES (${BEYOND}, ${BEYOND}, 'key', 'k', 'v', 0)`,
      );
      const { user, credentials: [credential] } = (await storage.findClient("alice"))!;
      assert.deepEqual([user.id, credential!.id], [BEYOND, BEYOND]);
      assert.ok(
        await storage.recordAuthentication({ ip: "::1", at: AT, user, credential }) !== undefined,
      );
      assert.equal((await storage.findClient("alice"))!.credentials[0]!.lastUsed, AT);
      assert.equal(await storage.replacePasswordHash(user.id, "x", "y"), true);
      assert.equal((await storage.findUser("bob"))!.passwordHash, "x");
      const [, last] = await storage.listUsers({ afterId: "9007199254740991", limit: 9 });
      assert.equal(last!.id, BEYOND);
      await other.write(`UPDATE auth_logs SET id = ${BEYOND}`);
      const afterId = await storage.seekAuthentications({ since: 0, last: 1 });
      assert.equal(afterId, "9007199254740992");
      const entries = await storage.readAuthentications({ afterId, since: 0, limit: 9 });
      assert.deepEqual(entries.map(({ id }) => id), [BEYOND]);
      assert.equal(await storage.deleteUser(user.id, NAME_HASH), true);
    },
  );

  database.testBeside("the number of a deleted user is never another's", async (storage, other) => {
    const { id } = (await storage.createUser(ALICE))!;
    await other.write("DELETE FROM users");
    const next = await storage.createUser({ ...ALICE, username: "bob" });
    assert.ok(Number(next!.id) > Number(id));
  });
}

/** Times that this program never writes, and how they are told. */
const ODD_TIMES: Record<string, string> = {
  "NULL": "null",
  "'infinity'": "infinity",
  "'-infinity'": "-infinity",
  "'4713-01-01 BC'": "4713-01-01T00:00:00 BC",
  "'10000-01-01'": "10000-01-01T00:00:00",
};

function testTimes(database: TestDatabase): void {
  database.testBeside(
    "an entry whose time is none is told as it is, and counted as odd",
    async (storage, other) => {
      await storage.recordAuthentication({
        ip: "::1",
        at: AT,
        user: (await storage.createUser(ALICE))!,
      });
      for (const [time, oddTime] of Object.entries(ODD_TIMES)) {
        await other.write("DELETE FROM auth_logs WHERE request_ip = 'odd'");
        await other.write(
          `INSERT INTO auth_logs (request_ip, request_timestamp, user_id)
         VALUES ('odd', ${time}, (SELECT id FROM users))`,
        );
        const entries = await storage.readAuthentications({ afterId: 0, since: AT, limit: 9 });
        assert.deepEqual(entries.map((entry) => [entry.at, entry.oddTime]), [[AT, null], [
          null,
          oddTime,
        ]], time);
        const { newest, odd } = await storage.countAuthentications(AT);
        assert.deepEqual({ newest, odd }, { newest: AT, odd: entries[1]!.id }, time);
        const start = await storage.seekAuthentications({ since: AT + 1000 });
        assert.ok(Number(start) < Number(entries[1]!.id), time);
      }
      const newest = await storage.newestAuthentications(1);
      assert.equal(newest[0]!.oddTime, "10000-01-01T00:00:00");
    },
  );

  database.testBeside(
    "a user whose times are none has none, and logs in as ever",
    async (storage, other) => {
      await storage.createUser(ALICE);
      for (const time of Object.keys(ODD_TIMES)) {
        await other.write(`UPDATE users SET date_registered = ${time}, last_login = ${time}`);
        const user = (await storage.findUser("alice"))!;
        assert.deepEqual([user.dateRegistered, user.lastLogin], [null, null], time);
        await storage.recordAuthentication({ ip: "::1", at: AT, user });
        assert.equal((await storage.findUser("alice"))!.lastLogin, AT, time);
      }
    },
  );

  database.test("times beyond all dates are asked for as the first and the last there are", async (storage) => {
    await storage.recordAuthentication({ ip: "::1", at: AT, user: null });
    for (const since of [-1e18, -8.64e15, 1]) {
      const afterId = await storage.seekAuthentications({ since });
      assert.equal((await storage.readAuthentications({ afterId, since, limit: 9 })).length, 1);
      assert.equal(await storage.purgeAuthentications(since, 9), 0);
    }
    assert.equal((await storage.countAuthentications(1e18)).odd, null);
    assert.equal(await storage.purgeAuthentications(1e18, 9), 1);
  });
}

const NUL = "a\0b";

function testTexts(database: TestDatabase): void {
  database.test("a NUL, which PostgreSQL's text cannot hold, is nobody's, and fails nothing", async (storage) => {
    const user = (await storage.createUser(ALICE))!;
    assert.equal(await storage.findUser("alice\0"), undefined);
    assert.equal(await storage.findUserByEmail("a@b.c\0"), undefined);
    assert.equal(await storage.findClient("alice\0"), undefined);
    assert.equal(await storage.removeCredential(user.id, NUL), false);
    assert.equal(await storage.seekAuthentications({ since: 0, username: NUL, last: 1 }), 0);
    const query = { afterId: 0, since: 0, username: NUL, limit: 9 };
    assert.deepEqual(await storage.readAuthentications(query), []);
    assert.equal(await storage.replacePasswordHash(user.id, NUL, "y"), false);
    const forged = { id: user.id, passwordHash: NUL };
    assert.equal(
      await storage.recordAuthentication({ ip: "::1", at: AT, user: forged }),
      undefined,
    );

    await storage.recordAuthentication({ ip: NUL, at: AT, user });
    assert.equal((await storage.newestAuthentications(1))[0]!.ip, "a\ufffdb");
    await storage.replaceClientPolicy(user.id, undefined, NUL);
    assert.equal((await storage.findClient("alice"))!.policy, "a\ufffdb");
    const create = [{ ...ALICE, username: NUL, email: `${NUL}@b.c`, keys: [] }];
    assert.equal(await storage.applyClients([], { remove: [], update: [], create }), true);
    assert.equal((await storage.findUser("a\ufffdb"))!.email, "a\ufffdb@b.c");
    assert.deepEqual(new Set(Object.values(storage.failures)), new Set([0]));
  });

  database.test("any username that may be registered is stored, and found in any ASCII case alone", async (storage) => {
    const first = [..."ABCxyz019"];
    const character = fc.constantFrom(...first, ..."._@+-");
    const name = fc.tuple(fc.constantFrom(...first), fc.array(character, { maxLength: 63 }))
      .map(([start, rest]) => start + rest.join(""));
    await fc.assert(
      fc.asyncProperty(
        name,
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        async (username, salt) => {
          const email = `${salt.toHex()}@${username}`;
          const user = await storage.createUser({ ...ALICE, username, email });
          const found = await storage.findUser(username);
          if (user !== undefined) assert.deepEqual(found, user);
          assert.equal(found?.username.toLowerCase(), username.toLowerCase());
          assert.deepEqual(await storage.findUser(username.toUpperCase()), found);
          assert.deepEqual((await storage.findClient(username.toLowerCase()))?.user, found);
        },
      ),
      { numRuns: 50 },
    );
  });

  database.test("no letter beyond ASCII is another's case", async (storage) => {
    for (
      const [place, email] of ["É@b.c", "é@b.c", "İ@b.c", "i@b.c", "ı@b.c", "\u212a@b.c", "k@b.c"]
        .entries()
    ) {
      const user = await storage.createUser({ ...ALICE, username: `u${place}`, email });
      assert.equal(user?.email, email);
    }
    assert.equal(
      await storage.createUser({ ...ALICE, username: "last", email: "I@B.C" }),
      undefined,
    );
  });
}
