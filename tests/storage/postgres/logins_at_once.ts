/** What several servers do to the authentication log and its users, at the same time. */

import assert from "node:assert/strict";
import type { PostgresPool } from "../../../lib/storage/postgres/pool.ts";
import type { PostgresStorage } from "../../../lib/storage/postgres/postgres_storage.ts";
import { ALICE, AT, NAME_HASH, type TestDatabase } from "./databases.ts";
import { begin, untilBlocked } from "./interleaving.ts";

/** How often a race is run that may go either way. */
const ROUNDS = 20;

export function testLoginsAtOnce(database: TestDatabase): void {
  database.testBeside(
    "deleteUser() waits for a login that is being recorded, and takes its user from it",
    async (storage, other) => {
      const { id } = (await storage.createUser(ALICE))!;
      const login = await begin(
        other,
        (tx) => tx.query("INSERT INTO auth_logs (request_ip, user_id) VALUES ('::1', $1)", [id]),
      );
      const deleted = storage.deleteUser(id, NAME_HASH);
      await untilBlocked(other);
      await login.commit();
      assert.equal(await deleted, true);
      assert.deepEqual(await usersInLog(other), [null]);
    },
  );

  for (const isDue of [true, false]) {
    const when = isDue ? "whose last login is to be written" : "who was there a moment ago";
    database.testBeside(
      `recordAuthentication() writes nothing of a user ${when} and is deleted at this one`,
      async (storage, other) => {
        const user = (await storage.createUser(ALICE))!;
        const record = { ip: "::1", at: AT, user };
        if (!isDue) await storage.recordAuthentication(record);
        const deletion = await begin(
          other,
          (tx) => tx.query("DELETE FROM users WHERE id = $1", [user.id]),
        );
        const recorded = storage.recordAuthentication(record);
        await untilBlocked(other);
        await deletion.commit();
        assert.equal(await recorded, undefined);
        assert.deepEqual(await usersInLog(other), isDue ? [] : [null]);
        assert.deepEqual(storage.failures.other, 0);
      },
    );
  }

  database.testBeside(
    "recordAuthentication() holds no credential while it waits for its user's deletion",
    async (storage, other) => {
      const { id } = (await storage.createUser(ALICE))!;
      await storage.addCredential(id, { kid: "k", value: "v", at: AT });
      const { user, credentials: [credential] } = (await storage.findClient("alice"))!;
      const record = { ip: "::1", at: AT, user };
      await storage.recordAuthentication(record); // so that only the credential's use is to be written
      const held = Promise.withResolvers<void>();
      const deletion = other.transaction(async (tx) => {
        await tx.query("SELECT FROM users FOR UPDATE");
        held.resolve();
        await untilBlocked(other);
        await tx.query("DELETE FROM users");
      }, { timeout: 20_000 });
      await held.promise;
      assert.equal(await storage.recordAuthentication({ ...record, credential }), undefined);
      await deletion;
      assert.doesNotMatch(await database.server.log(), /deadlock/);
    },
  );

  database.testWith(
    2,
    "deleteUser() while many log in, by a key or a password, fails nobody",
    async ([one, other]) => {
      for (let round = 0; round < ROUNDS; round++) {
        const { id } = (await one!.createUser(ALICE))!;
        await one!.addCredential(id, { kid: "k", value: "v", at: AT });
        const { user, credentials: [credential] } = (await one!.findClient("alice"))!;
        const record = { ip: "::1", at: AT, user };
        await Promise.all([
          ...[credential, undefined, credential].map((used) =>
            one!.recordAuthentication({ ...record, credential: used })
          ),
          other!.deleteUser(id, NAME_HASH),
        ]);
        assert.equal(await one!.recordAuthentication(record), undefined);
      }
      const log = await one!.readAuthentications({ afterId: 0, since: 0, limit: 1000 });
      assert.deepEqual(log.filter(({ username }) => username !== null), []);
      assert.doesNotMatch(await database.server.log(), /deadlock/);
    },
  );

  database.testWith(
    2,
    "recordAuthentication() of many first logins of a user at a time fails none",
    async (storages) => {
      const user = (await storages[0]!.createUser(ALICE))!;
      const record = { ip: "::1", at: AT, user };
      const done = await Promise.all(
        Array.from({ length: 20 }, (_, n) => storages[n % 2]!.recordAuthentication(record)),
      );
      assert.ok(!done.includes(undefined));
      assert.equal((await storages[0]!.findUser("alice"))!.lastLogin, AT);
      assert.equal((await storages[0]!.newestAuthentications(100)).length, 20);
    },
  );

  database.testBeside(
    "purgeAuthentications() leaves what another purges, and waits for nobody",
    async (storage, other) => {
      for (let entry = 0; entry < 10; entry++) {
        await storage.recordAuthentication({ ip: "::1", at: AT, user: null });
      }
      const purge = await begin(other, async (tx) => {
        await tx.query("DELETE FROM auth_logs WHERE id IN (SELECT min(id) FROM auth_logs)");
        await tx.query("SELECT FROM auth_logs ORDER BY id LIMIT 3 FOR UPDATE");
      });
      assert.equal(await storage.purgeAuthentications(AT + 1000, 4), 4);
      assert.equal(await storage.purgeAuthentications(AT + 1000, 100), 2);
      await purge.commit();
      assert.equal(await storage.purgeAuthentications(AT + 1000, 100), 3);
    },
  );

  database.testWith(
    4,
    "purgeAuthentications() by four at once purges all, each entry once",
    async (storages) => {
      const entries = 400;
      await database.psql(
        `INSERT INTO auth_logs (request_ip, request_timestamp)
       SELECT '::1', '2029-01-01' FROM generate_series(1, ${entries})`,
      );
      const purge = async (storage: PostgresStorage) => {
        let sum = 0;
        for (let purged = 1; purged > 0;) {
          purged = await storage.purgeAuthentications(AT, 7);
          sum += purged;
        }
        return sum;
      };
      const sums = await Promise.all(storages.map(purge));
      assert.equal(sums.reduce((sum, purged) => sum + purged), entries);
    },
  );
}

async function usersInLog(pool: PostgresPool) {
  const { rows } = await pool.read<{ user: unknown }>(
    'SELECT user_id AS "user" FROM auth_logs ORDER BY id',
  );
  return rows.map(({ user }) => user);
}
