/** What other settings than the usual would change. */

import assert from "node:assert/strict";
import type { PostgresStorage } from "../../../lib/storage/postgres/postgres_storage.ts";
import { ALICE, AT, NAME_HASH, type TestDatabase } from "./databases.ts";

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

export function testSettings(database: TestDatabase): void {
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
