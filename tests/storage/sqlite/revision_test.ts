import assert from "node:assert/strict";
import { openStorage, withTempDir } from "../../support.ts";
import { runElsewhere } from "./databases.ts";

const KEY = { id: 1, key: new Uint8Array([1, 2, 3]), exp: 10 };
const SECRET = { derivation: new Uint8Array([1]), check: new Uint8Array([2]) };

/** What any program may write that changes the keys, their secret or their policy. */
const CHANGES = [
  "INSERT INTO keys (kid, key, exp) VALUES (2, x'02', 20)",
  "INSERT INTO keys (kid, key, exp) VALUES (3, x'03', 30), (4, x'04', 40)",
  "INSERT INTO keys (kid, key, exp) VALUES (2, x'05', 20) " +
  "ON CONFLICT (kid) DO UPDATE SET key = excluded.key",
  "INSERT OR REPLACE INTO keys (kid, key, exp) VALUES (2, x'06', 20)",
  "UPDATE keys SET exp = exp + 1 WHERE kid = 2",
  "UPDATE keys SET kid = 5 WHERE kid = 3",
  "DELETE FROM keys WHERE kid = 2",
  "DELETE FROM keys",
  "BEGIN; INSERT INTO keys (kid, key, exp) VALUES (6, x'06', 60); " +
  "DELETE FROM keys WHERE kid = 6; COMMIT",
  "INSERT INTO meta (name, value) VALUES ('policy', x'01')",
  "UPDATE meta SET value = x'02' WHERE name = 'policy'",
  "DELETE FROM meta WHERE name = 'policy'",
  "UPDATE meta SET value = x'03' WHERE name = 'kek_check'",
  "INSERT OR REPLACE INTO meta (name, value) VALUES ('kek_derivation', x'04')",
];

/** What any program may write that changes none of them. */
const OTHERS = [
  "INSERT INTO users (username, password_hash) VALUES ('alice', 'x')",
  "UPDATE users SET last_login = '2030-01-01 00:00:00'",
  "INSERT INTO auth_logs (request_ip) VALUES ('192.0.2.1')",
  "DELETE FROM auth_logs",
  "DELETE FROM users",
  "UPDATE keys SET exp = 0 WHERE kid = 12345",
  "DELETE FROM meta WHERE name = 'nothing'",
  "INSERT INTO meta (name, value) VALUES ('running', x'01')",
  "UPDATE meta SET value = x'02' WHERE name = 'running'",
  "DELETE FROM meta WHERE name = 'running'",
  "BEGIN; INSERT INTO keys (kid, key, exp) VALUES (9, x'09', 90); ROLLBACK",
];

Deno.test("SqliteStorage.revision() grows with every change of keys, secret and policy by any program", async () => {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    const storage = openStorage(path);
    await storage.createKeyEncryption(SECRET);
    for (const sql of CHANGES) {
      const expected = await storage.readKeys();
      runElsewhere(path, sql);
      assert.ok(await storage.revision() > expected.revision, sql);
      const stale = { put: [KEY], remove: [] };
      assert.equal(await storage.changeKeys(expected, stale), false, sql);
      assert.equal(await storage.rekey(expected, [KEY], SECRET), false, sql);
    }
    await storage.close();
  });
});

Deno.test("SqliteStorage.revision() stays the same with everything else that any program writes", async () => {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    const storage = openStorage(path);
    await storage.createKeyEncryption(SECRET);
    const before = await storage.revision();
    for (const sql of OTHERS) {
      runElsewhere(path, sql);
      assert.equal(await storage.revision(), before, sql);
    }
    await storage.close();
  });
});

Deno.test("SqliteStorage.revision() sees what another process of the server changes, and users not", async () => {
  await withTempDir(async (directory) => {
    const storage = openStorage(`${directory}/db`);
    const second = openStorage(`${directory}/db`);
    const seen = [await storage.revision()];
    await second.createUser({ username: "alice", email: "a@b.c", passwordHash: "x", at: 0 });
    assert.equal(await storage.revision(), seen[0]);
    await second.changeKeys(await second.readKeys(), { put: [KEY], remove: [] });
    seen.push(await storage.revision());
    await second.writePolicy(new Uint8Array([1]));
    seen.push(await storage.revision());
    await second.rekey(await second.readKeys(), [KEY], SECRET);
    seen.push(await storage.revision());
    assert.deepEqual(seen, [...new Set(seen)].toSorted((one, other) => one - other));
    assert.equal(await storage.revision(), await second.revision());
    assert.deepEqual((await storage.readKeys()).records.map(({ id }) => id), [1]);
    await storage.close();
    await second.close();
  });
});
