/** What a look at a database tells before anything is done to it. */

import assert from "node:assert/strict";
import { examinePostgres } from "../../../lib/storage/postgres/examination.ts";
import { SCHEMA_VERSION } from "../../../lib/storage/postgres/schema.ts";
import type { TestDatabase } from "./databases.ts";

const SECRET = { derivation: new Uint8Array([1, 0]), check: new Uint8Array([2, 255]) };

export function testExamination(database: TestDatabase): void {
  database.testBeside(
    "examinePostgres() gives what is kept of the secret, if anything is",
    async (storage, pool) => {
      const found = { version: SCHEMA_VERSION, isNew: false };
      assert.deepEqual(await examinePostgres(pool), { ...found, keyEncryption: undefined });
      await storage.createKeyEncryption(SECRET);
      assert.deepEqual(await examinePostgres(pool), { ...found, keyEncryption: SECRET });
    },
  );

  database.testBeside(
    "what is kept of the secret is refused when half of it is lost, or all beside keys",
    async (storage, pool) => {
      await storage.createKeyEncryption(SECRET);
      const unusable = {
        code: "database_unusable",
        message: /lacks what is needed to open its keys/,
      };
      const assertRefused = async () => {
        await assert.rejects(examinePostgres(pool), unusable);
        await assert.rejects(storage.readKeyEncryption(), unusable);
        await assert.rejects(storage.createKeyEncryption(SECRET), unusable);
      };
      await pool.write("DELETE FROM meta WHERE name = 'kek_check'");
      await assertRefused();
      await pool.write("DELETE FROM meta");
      assert.equal(await storage.readKeyEncryption(), undefined);
      await pool.write("INSERT INTO keys VALUES (1, '\\x01', 2)");
      await assertRefused();
      assert.equal((await pool.read("SELECT FROM meta")).count, 0);
    },
  );

  database.testBeside(
    "the key of deleted names is refused when it is lost",
    async (storage, pool) => {
      await storage.nameKey(new Uint8Array([1]));
      await pool.write("INSERT INTO tombstones VALUES ('\\x01')");
      await pool.write("DELETE FROM meta");
      await assert.rejects(storage.nameKey(new Uint8Array([2])), { code: "database_unusable" });
      assert.equal((await pool.read("SELECT FROM meta")).count, 0);
    },
  );

  database.testBeside(
    "examinePostgres() refuses a database whose key_state lost its row, and works on one that only reads",
    async (_storage, pool) => {
      await database.server.psql(
        `ALTER DATABASE ${database.name} SET default_transaction_read_only = on`,
      );
      const reader = database.openPool();
      assert.equal((await examinePostgres(reader).finally(() => reader.close())).isNew, false);
      await database.server.psql(
        `ALTER DATABASE ${database.name} RESET default_transaction_read_only`,
      );
      await pool.write("DELETE FROM key_state");
      try {
        const altered = { code: "storage_unavailable", data: { fault: "altered" } };
        await assert.rejects(examinePostgres(pool), altered);
      } finally {
        await pool.write("INSERT INTO key_state (version) VALUES (0)");
      }
    },
  );
}
