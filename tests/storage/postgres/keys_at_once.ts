/** What several servers do to keys and to what is made once, at the same time. */

import assert from "node:assert/strict";
import { createKeyEncryption, createNameKey } from "../../../lib/storage/postgres/meta.ts";
import { ALICE, type TestDatabase } from "./databases.ts";
import { begin, untilBlocked } from "./interleaving.ts";

/** How often a race is run that may go either way. */
const ROUNDS = 20;

function key(id: number) {
  return { id, key: new Uint8Array([id]), exp: id };
}

export function testKeysAtOnce(database: TestDatabase): void {
  database.testWith(
    2,
    "changeKeys() lets one of two servers win that decided on the same keys",
    async (storages) => {
      for (let round = 1; round <= ROUNDS; round++) {
        const expected = await Promise.all(storages.map((storage) => storage.readKeys()));
        const won = await Promise.all(storages.map((storage, place) => {
          const put = [key(2 * round + place)];
          return storage.changeKeys(expected[place]!, { put, remove: [] });
        }));
        assert.equal(won.filter(Boolean).length, 1, String(won));
        const { records } = await storages[0]!.readKeys();
        assert.equal(records.length, round);
        assert.equal(records.at(-1)!.id, 2 * round + won.indexOf(true));
      }
    },
  );

  database.testWith(
    2,
    "changeKeys() lets one win against a rekey, and never both",
    async ([one, other]) => {
      const secret = { derivation: new Uint8Array([1]), check: new Uint8Array([2]) };
      await one!.createKeyEncryption(secret);
      for (let round = 1; round <= ROUNDS; round++) {
        const expected = await one!.readKeys();
        const check = new Uint8Array([round, 1]);
        const [changed, resealed] = await Promise.all([
          one!.changeKeys(expected, { put: [key(1000 + round)], remove: [] }),
          other!.rekey(expected, [key(round)], { ...secret, check }),
        ]);
        assert.equal(Number(changed) + Number(resealed), 1);
        const found = await one!.readKeys();
        if (resealed) assert.deepEqual(found.records.map(({ id }) => id), [round]);
        else assert.deepEqual(found.check, expected.check);
      }
    },
  );

  database.testWith(
    4,
    "createKeyEncryption() by four at once keeps one record, whole",
    async (storages) => {
      const made = await Promise.all(storages.map((storage, place) => {
        const bytes = new Uint8Array([place]);
        return storage.createKeyEncryption({ derivation: bytes, check: bytes });
      }));
      assert.equal(made.filter(Boolean).length, 1, String(made));
      const bytes = new Uint8Array([made.indexOf(true)]);
      assert.deepEqual(await storages[0]!.readKeyEncryption(), { derivation: bytes, check: bytes });
    },
  );

  database.testBeside(
    "nameKey() and createKeyEncryption() wait for who makes the same, and keep what was made",
    async (storage, other) => {
      const [first, second] = [new Uint8Array([1]), new Uint8Array([2])];
      const making = await begin(other, async (tx) => {
        await createNameKey(tx, first);
        await createKeyEncryption(tx, { derivation: first, check: first });
      });
      const made = Promise.all([
        storage.nameKey(second),
        storage.createKeyEncryption({ derivation: second, check: second }),
      ]);
      await untilBlocked(other);
      await making.commit();
      assert.deepEqual(await made, [first, false]);
      assert.deepEqual(await storage.nameKey(second), first);
    },
  );

  database.testBeside(
    "assertWritable() waits for nobody who changes keys or users",
    async (storage, other) => {
      await storage.createUser(ALICE);
      const change = await begin(other, async (tx) => {
        await tx.query("UPDATE key_state SET version = version + 1");
        await tx.query("SELECT FROM users FOR UPDATE");
      });
      await storage.assertWritable();
      await change.commit();
    },
  );
}
