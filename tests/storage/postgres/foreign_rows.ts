/** What other programs may write into the tables, and this one never does. */

import assert from "node:assert/strict";
import { ALICE, AT, NAME_HASH, type TestDatabase } from "./databases.ts";

const LARGEST = Number.MAX_SAFE_INTEGER;
const BEYOND = "9007199254740993";

export function testForeignRows(database: TestDatabase): void {
  testNumbers(database);
  testTimes(database);
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
