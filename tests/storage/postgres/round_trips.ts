/** How often what a login needs goes to the server, which may be far. */

import assert from "node:assert/strict";
import { PostgresStorage } from "../../../lib/storage/postgres/postgres_storage.ts";
import { countStatements } from "./counted_pool.ts";
import { ALICE, AT, NAME_HASH, type TestDatabase } from "./databases.ts";

export function testRoundTrips(database: TestDatabase): void {
  Deno.test("PostgresStorage goes to the server once for what a login needs", async () => {
    await (await database.openEmpty()).close();
    const { pool, statements } = countStatements(database.openPool());
    const storage = new PostgresStorage(pool);
    try {
      const { id } = (await storage.createUser({ ...ALICE, nameHash: NAME_HASH }))!;
      await storage.addCredential(id, { kid: "k", value: "v", at: AT });
      const { user, credentials: [credential] } = (await storage.findClient("alice"))!;
      const record = { ip: "::1", at: AT };
      const once: (() => Promise<unknown>)[] = [
        () => storage.findClient("alice"),
        () => storage.recordAuthentication({ ...record, user }),
        () => storage.recordAuthentication({ ...record, user, credential }),
        () => storage.recordAuthentication({ ...record, user: null }),
        () => storage.readKeys(),
        () => storage.revision(),
        () => storage.readKeyEncryption(),
        () => storage.assertWritable(),
        () => storage.nameKey(new Uint8Array([1])),
        () => storage.purgeAuthentications(0, 1),
      ];
      await storage.nameKey(new Uint8Array([1])); // which makes it
      for (const work of once) {
        const before = statements();
        await work();
        assert.equal(statements() - before, 1, String(work));
      }
    } finally {
      await storage.close();
    }
  });
}
