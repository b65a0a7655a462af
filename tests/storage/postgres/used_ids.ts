/** What may be used once among all servers. */

import assert from "node:assert/strict";
import type { TestDatabase } from "./databases.ts";

export function testUsedIds(database: TestDatabase): void {
  const digest = (place: number) => new Uint8Array(32).fill(place);
  const inOneMinute = () => Math.floor(Date.now() / 1000) + 60;
  const rows = async () =>
    (await database.psql("SELECT until FROM used_ids ORDER BY 1")).split("\n");

  database.testWith(
    4,
    "uses.use() lets one of several servers use the same, and each what is its own",
    async (storages) => {
      const use = (place: number) =>
        Promise.all(storages.map(({ uses }) => uses.use(digest(place), inOneMinute())));
      for (const place of [1, 2, 3]) {
        const used = await use(place);
        assert.equal(used.filter(Boolean).length, 1);
        assert.deepEqual(await use(place), [false, false, false, false]);
      }
    },
  );

  database.test(
    "uses.use() forgets what is over by every server's clock, and nothing else",
    async ({ uses }) => {
      const now = Math.floor(Date.now() / 1000);
      const ends = [now - 4000, now - 3000, now - 2000, now - 540, now + 60];
      for (const [place, until] of ends.entries()) {
        await database.psql(
          `INSERT INTO used_ids VALUES ('\\x${String(place).padStart(64, "0")}', ${until})`,
        );
      }
      assert.equal(await uses.use(digest(1), now + 61), true);
      assert.deepEqual(await rows(), [now - 2000, now - 540, now + 60, now + 61].map(String));
      assert.equal(await uses.use(digest(2), now + 61.5), true);
      assert.deepEqual(await rows(), [now - 540, now + 60, now + 61, now + 62].map(String));
    },
  );

  database.test(
    "uses.use() forgets few at a time, however the server goes about it",
    async () => {
      const others = ["hashjoin", "mergejoin", "material", "hashagg", "sort"];
      const off = others.map((way) => `ALTER ROLE jwks SET enable_${way} = off`);
      await database.psql(off.join(";"));
      const storage = database.openStorage();
      try {
        await database.psql(
          "INSERT INTO used_ids SELECT sha256(n::text::bytea), n FROM generate_series(1, 20) AS n",
        );
        await storage.uses.use(digest(1), inOneMinute());
        assert.equal((await rows()).length, 20 - 2 + 1);
      } finally {
        await database.psql("ALTER ROLE jwks RESET ALL");
        await storage.close();
      }
    },
  );
}
