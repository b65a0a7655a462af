import assert from "node:assert/strict";
import { isDomainError } from "../../lib/base/errors.ts";
import { KeyEncryption } from "../../lib/sealing/key_encryption.ts";
import { resealKeys } from "../../lib/sealing/reseal.ts";
import { CHEAP, failureOf, wrapStorage } from "../support.ts";
import { assertHolds, type SealedDatabase, withSealedDatabase } from "./sealed_database.ts";
import { contentsOf } from "./secret_files.ts";

const NEXT = await KeyEncryption.create("quite another secret", CHEAP);

/** How a row is altered, its number then, and the reason for which it is refused. */
const ALTERED: readonly (readonly [sql: string, row: string, reason: RegExp])[] = [
  ["UPDATE keys SET exp = exp + 1 WHERE kid = 2", "2", /exp is 301 in the row/],
  ["UPDATE keys SET key = (SELECT key FROM keys WHERE kid = 1) WHERE kid = 3", "3", /of key 1$/],
  ["UPDATE keys SET key = x'00' WHERE kid = 1", "1", /not a JWE/],
  ["UPDATE keys SET exp = 'soon' WHERE kid = 2", "2", /exp is no time/],
  ["UPDATE keys SET key = 'text' WHERE kid = 2", "2", /key is no bytes/],
  ["UPDATE keys SET kid = 9223372036854775807 WHERE kid = 3", "9223372036854775807", /larger/],
];

/** Everything that stands in the database. */
function rowsOf({ database }: SealedDatabase): unknown[] {
  return [
    ...database.all("SELECT CAST(kid AS TEXT) AS kid, hex(key), exp FROM keys ORDER BY kid"),
    ...database.all("SELECT name, hex(value) FROM meta ORDER BY name"),
  ];
}

Deno.test("resealKeys() refuses a row that cannot be opened, by its number, and changes nothing", async () => {
  for (const [sql, row, reason] of ALTERED) {
    await withSealedDatabase(async (sealed) => {
      const { storage, encryption } = await sealed.parts();
      sealed.database.run(sql);
      const before = rowsOf(sealed);
      const error = await failureOf(() => resealKeys(storage, encryption, NEXT), sql);
      assert.ok(isDomainError(error, "key_unreadable"), Deno.inspect(error));
      assert.equal(error.data.row, row);
      assert.match(error.data.reason!, reason);
      assert.deepEqual(rowsOf(sealed), before);
    });
  }
});

Deno.test("renewSecret() that is refused for a row leaves the secret, and no new one beside it", async () => {
  await withSealedDatabase(async (sealed, directory) => {
    const secret = await Deno.readTextFile(sealed.file);
    sealed.database.run("UPDATE keys SET key = x'00' WHERE kid = 1");
    const before = rowsOf(sealed);
    const error = await failureOf(() => sealed.renew());
    assert.ok(isDomainError(error, "key_unreadable"), Deno.inspect(error));
    assert.deepEqual(rowsOf(sealed), before);
    assert.equal(await Deno.readTextFile(sealed.file), secret);
    const texts = Object.values(await contentsOf(directory));
    assert.ok(texts.every((text) => text === secret), "a secret that is of no use is left");
  });
});

Deno.test("resealKeys() begins anew when a key changed meanwhile, and loses no change", async () => {
  await withSealedDatabase(async (sealed) => {
    const { encryption } = await sealed.parts();
    let changes = 0;
    const storage = wrapStorage(sealed.storage, (own) => ({
      async rekey(...change) {
        if (changes++ === 0) {
          const [record] = (await own.readKeys()).records;
          const { schedule, jwk } = await encryption.open(record!);
          const put = [await encryption.seal({ ...schedule, id: 9 }, jwk)];
          assert.ok(await own.changeKeys(await own.readKeys(), { put, remove: [] }));
        }
        return await own.rekey(...change);
      },
    }));
    assert.equal(await resealKeys(storage, encryption, NEXT), 4);
    assert.equal(changes, 2);
    const { records } = await storage.readKeys();
    assert.equal((await NEXT.open(records.at(-1)!)).schedule.id, 9);
    assert.ok(await storage.changeKeys(await storage.readKeys(), { put: [], remove: [9] }));
    await assertHolds(storage, NEXT);
  });
});
