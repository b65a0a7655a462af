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
}
