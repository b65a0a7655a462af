/** When the revision grows, and how often the database is asked for it. */

import assert from "node:assert/strict";
import { PostgresStorage } from "../../../lib/storage/postgres/postgres_storage.ts";
import { FakeClock } from "../../support.ts";
import { countStatements } from "./counted_pool.ts";
import { ALICE, AT, type TestDatabase } from "./databases.ts";

const KEY = { id: 1, key: new Uint8Array([1, 2, 3]), exp: 10 };
const SECRET = { derivation: new Uint8Array([1]), check: new Uint8Array([2]) };

/** What any program may write that changes the keys, their secret or their policy. */
const CHANGES = [
  "INSERT INTO keys (kid, key, exp) VALUES (2, '\\x02', 20)",
  "INSERT INTO keys (kid, key, exp) VALUES (3, '\\x03', 30), (4, '\\x04', 40)",
  "INSERT INTO keys (kid, key, exp) VALUES (2, '\\x05', 20) " +
  "ON CONFLICT (kid) DO UPDATE SET key = excluded.key",
  "UPDATE keys SET exp = exp + 1 WHERE kid = 2",
  "UPDATE keys SET kid = 5 WHERE kid = 3",
  "DELETE FROM keys WHERE kid = 2",
  "DELETE FROM keys",
  "DO $$ BEGIN INSERT INTO keys (kid, key, exp) VALUES (6, '\\x06', 60); " +
  "DELETE FROM keys WHERE kid = 6; END $$",
  "TRUNCATE keys",
  "INSERT INTO meta (name, value) VALUES ('policy', '\\x01')",
  "UPDATE meta SET value = '\\x02' WHERE name = 'policy'",
  "UPDATE meta SET name = 'old_policy' WHERE name = 'policy'",
  "UPDATE meta SET name = 'policy' WHERE name = 'old_policy'",
  "DELETE FROM meta WHERE name = 'policy'",
  "UPDATE meta SET value = '\\x03' WHERE name = 'kek_check'",
  "INSERT INTO meta (name, value) VALUES ('kek_derivation', '\\x04') " +
  "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
  "TRUNCATE meta",
];

/** What any program may write that changes none of them. */
const OTHERS = [
  "INSERT INTO users (username, password_hash) VALUES ('alice', 'x')",
  "UPDATE users SET last_login = '2030-01-01 00:00:00'",
  "INSERT INTO auth_logs (request_ip) VALUES ('192.0.2.1')",
  "DELETE FROM auth_logs",
  "DELETE FROM users",
  "DELETE FROM meta WHERE name = 'nothing'",
  "INSERT INTO meta (name, value) VALUES ('name_key', '\\x01')",
  "UPDATE meta SET value = '\\x02' WHERE name = 'name_key'",
  "DELETE FROM meta WHERE name = 'name_key'",
];

export function testRevisionByOthers(database: TestDatabase): void {
  database.testBeside(
    "revision() grows with every change of keys, secret and policy by any program",
    async (storage, other) => {
      await storage.createKeyEncryption(SECRET);
      for (const sql of CHANGES) {
        const expected = await storage.readKeys();
        await other.write(sql);
        assert.ok(await storage.revision() > expected.revision, sql);
        const stale = { put: [KEY], remove: [] };
        assert.equal(await storage.changeKeys(expected, stale), false, sql);
        assert.equal(await storage.rekey(expected, [KEY], SECRET), false, sql);
      }
    },
  );

  database.testBeside(
    "revision() stays the same with everything else that any program writes",
    async (storage, other) => {
      await storage.createKeyEncryption(SECRET);
      const before = await storage.revision();
      for (const sql of OTHERS) {
        await other.write(sql);
        assert.equal(await storage.revision(), before, sql);
      }
    },
  );

  database.test("revision() grows with a change by psql, whatever schema it looks in", async (storage) => {
    const before = await storage.revision();
    await database.psql(
      "SET search_path = pg_catalog; INSERT INTO public.keys VALUES (1, '\\x01', 2)",
    );
    const between = await storage.revision();
    assert.ok(between > before);
    await database.psql(
      "SET search_path = pg_catalog; INSERT INTO public.meta VALUES ('policy', '\\x01')",
    );
    assert.ok(await storage.revision() > between);
  });

  database.testWith(2, "revision() sees what another server changes", async ([one, other]) => {
    const seen = [await one!.revision()];
    await other!.changeKeys(await other!.readKeys(), { put: [KEY], remove: [] });
    seen.push(await one!.revision());
    await other!.writePolicy(new Uint8Array([1]));
    seen.push(await one!.revision());
    await other!.rekey(await other!.readKeys(), [KEY], SECRET);
    seen.push(await one!.revision());
    assert.deepEqual(seen, [...new Set(seen)].toSorted((a, b) => a - b));
    assert.equal(await other!.revision(), seen.at(-1));
  });

  database.test("what needs the revision is refused when key_state lost its row", async (storage) => {
    const expected = await storage.readKeys();
    await database.psql("DELETE FROM key_state");
    try {
      const altered = { code: "storage_unavailable", data: { fault: "altered" } };
      for (
        const ask of [
          () => storage.revision(),
          () => storage.readKeys(),
          () => storage.createKeyEncryption(SECRET),
        ]
      ) await assert.rejects(ask(), altered, String(ask));
      assert.equal(await storage.changeKeys(expected, { put: [KEY], remove: [] }), false);
    } finally {
      await database.psql("INSERT INTO key_state (version) VALUES (0)");
    }
  });

  database.test("recordAuthentication() writes nothing when key_state lost its row", async (storage) => {
    const { id } = (await storage.createUser(ALICE))!;
    await storage.addCredential(id, { kid: "k", value: "v", at: AT });
    const before = (await storage.findClient("alice"))!;
    const { user, credentials: [credential] } = before;
    await database.psql("DELETE FROM key_state");
    try {
      const altered = { code: "storage_unavailable", data: { fault: "altered" } };
      for (const who of [{ user: null }, { user }, { user, credential }]) {
        await assert.rejects(storage.recordAuthentication({ ip: "::1", at: AT, ...who }), altered);
      }
    } finally {
      await database.psql("INSERT INTO key_state (version) VALUES (0)");
    }
    assert.deepEqual(await storage.newestAuthentications(9), []);
    assert.deepEqual(await storage.findClient("alice"), before);
  });

  Deno.test("revision() with an age asks no more often than that, and learns from what is asked otherwise", async () => {
    const time = new FakeClock();
    const { pool, statements } = countStatements(database.openPool());
    const storage = new PostgresStorage(pool, time.clock);
    const other = await database.openEmpty();
    const asked = async (work: () => Promise<unknown>) => {
      const before = statements();
      await work();
      return statements() - before;
    };
    const ask = () => storage.revision(2000);
    try {
      assert.equal(await asked(ask), 1);
      assert.equal(await asked(ask), 0);
      time.now += 2000;
      assert.equal(await asked(ask), 0);
      time.now += 1;
      assert.equal(await asked(() => Promise.all([ask(), ask(), ask()])), 1);
      assert.equal(await asked(() => storage.revision()), 1, "without an age, always");

      const user = (await storage.createUser(ALICE))!;
      for (
        const learn of [
          () => storage.readKeys(),
          () => storage.recordAuthentication({ ip: "::1", at: AT, user }),
          () => storage.recordAuthentication({ ip: "::1", at: AT, user: null }),
        ]
      ) {
        await other.writePolicy(new Uint8Array([1]));
        time.now += 2001;
        await learn();
        assert.equal(await asked(ask), 0, String(learn));
        assert.equal(await ask(), await other.revision(), String(learn));
      }
      await storage.writePolicy(new Uint8Array([2]));
      assert.equal(await storage.revision(2000), await other.revision(), "its own change");
    } finally {
      await storage.close();
      await other.close();
    }
  });
}
