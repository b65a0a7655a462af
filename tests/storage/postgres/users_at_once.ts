/** What several servers do to users and clients, at the same time. */

import assert from "node:assert/strict";
import { applyClients } from "../../../lib/storage/postgres/client_changes.ts";
import { addCredential, replacePassword } from "../../../lib/storage/postgres/clients_tables.ts";
import { ALICE, AT, NAME_HASH, type TestDatabase } from "./databases.ts";
import { begin, untilBlocked } from "./interleaving.ts";

const NOTHING = { remove: [], update: [], create: [] };
const UNCHANGED = { removeKeys: [], addKeys: [] };
const REVIVED = { ...ALICE, username: "ALICE", email: "new@b.c", nameHash: NAME_HASH };

/** How often a race is run that may go either way. */
const ROUNDS = 20;

export function testUsersAtOnce(database: TestDatabase): void {
  database.testWith(
    4,
    "createUser() by four at once of one name, or of one address, stores one",
    async (storages) => {
      for (let round = 0; round < ROUNDS; round++) {
        const created = await Promise.all(storages.map((storage, place) => {
          const username = round % 2 ? `user${round}` : `user${round}-${place}`;
          const email = round % 2 ? `${round}-${place}@b.c` : `${round}@b.c`;
          return storage.createUser({ ...ALICE, username, email, nameHash: NAME_HASH });
        }));
        assert.equal(created.filter((user) => user !== undefined).length, 1);
      }
    },
  );

  database.testBeside(
    "createUser() never revives a name that is deleted at that moment",
    async (storage, other) => {
      const { id } = (await storage.createUser(ALICE))!;
      const deletion = await begin(other, async (tx) => {
        await tx.query("DELETE FROM users WHERE id = $1", [id]);
        await tx.query("INSERT INTO tombstones (name_hash) VALUES ($1)", [NAME_HASH]);
      });
      const created = storage.createUser(REVIVED);
      await untilBlocked(other);
      await deletion.commit();
      assert.equal(await created, undefined);
      assert.deepEqual(await storage.listUsers({ limit: 9 }), []);
    },
  );

  database.testWith(
    2,
    "createUser() and deleteUser() at once leave no user of a deleted name",
    async ([one, other]) => {
      for (let round = 0; round < ROUNDS; round++) {
        const username = `user${round}`;
        const nameHash = new Uint8Array([4, round]);
        const user = { ...ALICE, username, nameHash };
        const { id } = (await one!.createUser(user))!;
        await Promise.all([other!.deleteUser(id, nameHash), one!.createUser(user)]);
        assert.equal(await one!.findUser(username), undefined);
      }
    },
  );

  database.testBeside(
    "who changes a client waits for who has read it to change it, and logins do not",
    async (storage, other) => {
      const { id } = (await storage.createUser(ALICE))!;
      const at = AT;
      await storage.addCredential(id, { kid: "old", value: "v", at });
      await storage.recordAuthentication({ ip: "::1", at, user: { id, passwordHash: "x" } });
      const changes: (() => Promise<boolean>)[] = [
        () => storage.replaceClientPolicy(id, undefined, undefined),
        () => storage.replaceClientPolicy(id, undefined, "{}"),
        () => storage.replaceClientPolicy(id, "{}", "[]"),
        () => storage.replaceClientPolicy(id, "[]", undefined),
        () => storage.addCredential(id, { kid: "new", value: "v", at }),
        () => storage.removeCredential(id, "old"),
        () => storage.replacePassword(id, { from: "x", to: "y" }),
        () => storage.replacePasswordHash(id, "y", "x"),
        () =>
          storage.applyClients([], { ...NOTHING, remove: [{ userId: id, nameHash: NAME_HASH }] }),
      ];
      for (const change of changes) {
        const client = (await storage.findClient("alice"))!;
        const reader = await begin(other, (tx) => applyClients(tx, [client], NOTHING));
        const changed = change();
        await untilBlocked(other);
        const user = { id, passwordHash: client.user.passwordHash };
        assert.ok(await storage.recordAuthentication({ ip: "::1", at, user }) !== undefined);
        await reader.commit();
        assert.equal(await changed, true, String(change));
      }
    },
  );

  database.testBeside(
    "a login goes on while its client is being changed",
    async (storage, other) => {
      const user = (await storage.createUser(ALICE))!;
      const record = { ip: "::1", at: AT, user };
      await storage.recordAuthentication(record);
      const change = await begin(other, async (tx) => {
        await addCredential(tx, user.id, { kid: "new", value: "v", at: AT });
        await replacePassword(tx, user.id, { from: "x", to: "y" });
      });
      assert.ok(await storage.recordAuthentication(record) !== undefined);
      await change.commit();
      assert.equal(await storage.recordAuthentication(record), undefined);
    },
  );

  database.testWith(
    2,
    "applyClients() by two at once in any order fails neither, and applies one",
    async (storages) => {
      const names = ["a", "b", "c", "d"];
      for (const username of names) {
        await storages[0]!.createUser({ ...ALICE, username, email: null });
      }
      for (let round = 0; round < ROUNDS; round++) {
        const clients = await Promise.all(names.map((name) => storages[0]!.findClient(name)));
        const applied = await Promise.all(storages.map((storage, place) => {
          const expected = (place ? clients.toReversed() : clients).map((client) => client!);
          const policy = JSON.stringify([round, place]);
          const update = expected.map(({ user }) => ({ userId: user.id, policy, ...UNCHANGED }));
          return storage.applyClients(expected, { ...NOTHING, update });
        }));
        assert.equal(applied.filter(Boolean).length, 1);
        const policy = JSON.stringify([round, applied.indexOf(true)]);
        for (const name of names) {
          assert.equal((await storages[0]!.findClient(name))!.policy, policy);
        }
      }
      assert.doesNotMatch(await database.server.log(), /deadlock/);
    },
  );
}
