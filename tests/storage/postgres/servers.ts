/** What servers tell of themselves, and how a storage tells whether it can be written. */

import assert from "node:assert/strict";
import { isDomainError } from "../../../lib/base/errors.ts";
import { PostgresStorage } from "../../../lib/storage/postgres/postgres_storage.ts";
import { failureOf } from "../../support.ts";
import { ALICE, type TestDatabase } from "./databases.ts";
import { begin } from "./interleaving.ts";

/** The tables that logins read or write, and their proofs. */
const OF_LOGINS = ["users", "auth_logs", "client_policies", "client_credentials", "used_ids"];

const CHECK = new Uint8Array([1, 2, 255]);

function told(id: string, at = 5) {
  const host = `${id}.example:8080`;
  const issuer = `https://${id}.example`;
  return { id, host, version: "1.2.3", at, check: CHECK, issuer, limitedAt: null };
}

export function testServers(database: TestDatabase): void {
  database.testWith(
    2,
    "servers.list() has what each server told last, the last seen first",
    async ([one, other]) => {
      assert.deepEqual(await one!.servers.list(), []);
      const before = Date.now();
      const changed = { version: "1.2.4", issuer: null, limitedAt: "valkey.example:6379" };
      await one!.servers.tell(told("one"));
      await other!.servers.tell(told("other"));
      const time = await one!.servers.tell({ ...told("one", 7), ...changed });
      const list = await other!.servers.list();
      assert.deepEqual(list.map(({ seenAt: _, ...server }) => server), [
        { ...told("one", 7), ...changed },
        told("other"),
      ]);
      assert.equal(time, list[0]!.seenAt);
      for (const { seenAt } of list) {
        assert.ok(before - 1 <= seenAt && seenAt <= Date.now() + 1, `${before} ${seenAt}`);
      }
    },
  );

  database.testBeside(
    "servers.tell() removes who was not heard of for a day, and takes back who comes again",
    async (storage, other) => {
      const age = (interval: string) =>
        other.write(
          `UPDATE servers SET seen_at = (now() AT TIME ZONE 'UTC') - interval '${interval}'`,
        );
      await storage.servers.tell(told("old"));
      await age("23 hours 59 minutes");
      await storage.servers.tell(told("new"));
      const names = async () => (await storage.servers.list()).map(({ id }) => id);
      assert.deepEqual(await names(), ["new", "old"]);
      await age("1 day 1 second");
      assert.deepEqual(await names(), []);
      await storage.servers.tell(told("old", 6));
      assert.deepEqual((await storage.servers.list()).map(({ id, at }) => [id, at]), [["old", 6]]);
      assert.equal((await other.read("SELECT FROM servers")).count, 1);
    },
  );

  database.testWith(
    2,
    "endRun() removes the server that has told of itself, and no other",
    async ([one, other]) => {
      await other!.servers.tell(told("other"));
      await one!.beginRun();
      await one!.endRun();
      await one!.beginRun();
      await one!.servers.tell(told("one"));
      await one!.endRun();
      assert.deepEqual((await other!.servers.list()).map(({ id }) => id), ["other"]);
    },
  );

  database.testBeside(
    "assertWritable() has written something to the disk when it resolves",
    async (storage, other) => {
      const flushed = async () => {
        const sql = "SELECT (pg_current_wal_flush_lsn() - '0/0')::text AS bytes";
        return BigInt((await other.read<{ bytes: string }>(sql)).rows[0]!.bytes);
      };
      const before = await flushed();
      await storage.assertWritable();
      assert.ok(await flushed() > before);
    },
  );

  database.test("assertWritable() rejects when no login could be put on record", async (storage) => {
    for (const table of ["key_state", ...OF_LOGINS]) {
      await storage.assertWritable();
      await database.psql(`ALTER TABLE ${table} RENAME TO away`);
      const error = await failureOf(() => storage.assertWritable(), table)
        .finally(() => database.psql(`ALTER TABLE away RENAME TO ${table}`));
      assert.ok(isDomainError(error, "storage_unavailable"), String(error));
      assert.equal(error.data.fault, "altered");
    }
  });

  database.testBeside(
    "assertWritable() rejects where a login would wait for a lock",
    async (_, other) => {
      const storage = new PostgresStorage(database.openPool(500));
      try {
        await storage.assertWritable();
        for (const table of OF_LOGINS) {
          const lock = await begin(other, (tx) => tx.query(`LOCK TABLE ${table}`));
          const error = await failureOf(() => storage.assertWritable(), table).finally(lock.commit);
          assert.ok(isDomainError(error, "storage_unavailable"), String(error));
          assert.equal(error.data.fault, "locked");
        }
        await storage.assertWritable();
      } finally {
        await storage.close();
      }
    },
  );

  database.test("a server that only reads refuses every write, counts them, and goes on to read", async (storage) => {
    const user = (await storage.createUser(ALICE))!;
    await database.server.psql(
      `ALTER DATABASE ${database.name} SET default_transaction_read_only = on`,
    );
    const reader = database.openStorage();
    try {
      const record = { ip: "::1", at: 0, user };
      const writes = [
        () => reader.assertWritable(),
        () => reader.recordAuthentication(record),
        () => reader.recordAuthentication({ ...record, user: null }),
        () => reader.replacePasswordHash(user.id, "x", "y"),
        () => reader.purgeAuthentications(1e12, 9),
        () => reader.servers.tell(told("one")),
      ];
      for (const write of writes) {
        const error = await failureOf(write, String(write));
        assert.ok(isDomainError(error, "storage_unavailable"), String(error));
        assert.equal(error.data.fault, "read-only");
      }
      assert.equal(reader.failures["read-only"], writes.length);
      assert.deepEqual(await reader.findUser("alice"), user);
      await reader.revision();
    } finally {
      await database.server.psql(
        `ALTER DATABASE ${database.name} RESET default_transaction_read_only`,
      );
      await reader.close();
    }
    assert.deepEqual(await storage.findUser("alice"), user);
  });

  database.testBeside(
    "failures are counted by their kind, and what a caller could not have is none",
    async (storage, other) => {
      await storage.createUser(ALICE);
      assert.equal(await storage.createUser(ALICE), undefined);
      const taken = { remove: [], update: [], create: [{ ...ALICE, keys: [] }] };
      assert.equal(await storage.applyClients([], taken), false);
      assert.deepEqual(new Set(Object.values(storage.failures)), new Set([0]));

      await other.write("ALTER TABLE users RENAME COLUMN email TO address");
      await failureOf(() => storage.findUser("alice"));
      await failureOf(() => storage.createUser(ALICE));
      await other.write("ALTER TABLE users RENAME COLUMN address TO email");
      assert.equal(storage.failures.altered, 2);
      await failureOf(() => storage.createUser({ ...ALICE, passwordHash: null as never }));
      assert.equal(storage.failures.other, 1);
    },
  );
}
