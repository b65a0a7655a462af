/** What every `Storage` must do: one suite for all of them. */

import assert from "node:assert/strict";
import fc from "fast-check";
import type { KeyRecord, Storage } from "../../lib/storage/storage.ts";
import { testChanges } from "./storage_conformance_changes.ts";
import { testClients } from "./storage_conformance_clients.ts";
import { testRevision } from "./storage_conformance_revision.ts";
import { type TestProperty, testUsers } from "./storage_conformance_users.ts";

/** A storage that is empty when it is opened. */
export interface OpenStorage {
  storage: Storage;
  close(): Promise<void>;
}

function key(id: number, text = `key ${id}`): KeyRecord {
  return { id, key: new TextEncoder().encode(text), exp: id + 10 };
}

/** Applies a change to what the storage holds now; true when it was applied. */
async function change(storage: Storage, put: KeyRecord[], remove: number[] = []): Promise<boolean> {
  return await storage.changeKeys(await storage.readKeys(), { put, remove });
}

/** The keys, comparable: bytes as a plain array, rows as plain objects. */
async function keysOf(storage: Storage) {
  const { records } = await storage.readKeys();
  return records.map(plain);
}

function plain({ id, key, exp }: KeyRecord) {
  return { id, key: [...key], exp };
}

/** Registers the suite for the storage that `open` gives, a new and empty one each time. */
export function testStorage(name: string, open: () => Promise<OpenStorage>): void {
  const test: TestProperty = (property, body) =>
    Deno.test(`${name}: ${property}`, async () => {
      const { storage, close } = await open();
      try {
        await body(storage);
      } finally {
        await close();
      }
    });

  testRevision(test);
  testChanges(test);
  test("createKeyEncryption() keeps the first record and refuses the next", async (storage) => {
    const bytes = (...values: number[]) => new Uint8Array(values);
    assert.equal(await storage.readKeyEncryption(), undefined);
    const record = { derivation: bytes(1, 2), check: bytes(0, 255) };
    assert.equal(await storage.createKeyEncryption(record), true);
    const other = { derivation: bytes(3), check: bytes(4) };
    assert.equal(await storage.createKeyEncryption(other), false);
    const kept = (await storage.readKeyEncryption())!;
    assert.deepEqual([...kept.derivation], [1, 2]);
    assert.deepEqual([...kept.check], [0, 255]);
    assert.deepEqual([...(await storage.readKeys()).check], [0, 255]);
  });

  test("readKeys() gives back every byte, in the order of id", async (storage) => {
    const rows = fc.uniqueArray(
      fc.record({
        id: fc.maxSafeNat(),
        key: fc.uint8Array({ minLength: 1, maxLength: 50 }),
        exp: fc.maxSafeNat(),
      }),
      { selector: ({ id }) => id, maxLength: 5 },
    );
    await fc.assert(fc.asyncProperty(rows, async (put) => {
      const { records } = await storage.readKeys();
      assert.equal(await change(storage, put, records.map(({ id }) => id)), true);
      const expected = put.toSorted((one, other) => one.id - other.id).map(plain);
      assert.deepEqual(await keysOf(storage), expected);
    }));
  });

  test("changeKeys() writes, replaces and deletes in one step", async (storage) => {
    await change(storage, [key(1), key(2), key(3)]);
    assert.equal(await change(storage, [key(2, "another"), key(4)], [1]), true);
    const expected = [key(2, "another"), key(3), key(4)].map(plain);
    assert.deepEqual(await keysOf(storage), expected);
  });

  test("rekey() replaces keys and what they are sealed under, in one step", async (storage) => {
    const bytes = (value: number) => new Uint8Array([value]);
    await storage.createKeyEncryption({ derivation: bytes(1), check: bytes(2) });
    await change(storage, [key(1), key(2)]);
    const expected = await storage.readKeys();
    const records = [key(1, "resealed 1"), key(2, "resealed 2")];
    const next = { derivation: bytes(3), check: bytes(4) };
    assert.equal(await storage.rekey(expected, records, next), true);
    assert.deepEqual(await keysOf(storage), records.map(plain));
    assert.deepEqual([...(await storage.readKeyEncryption())!.derivation], [3]);
    assert.deepEqual([...(await storage.readKeys()).check], [4]);
    assert.equal(await storage.rekey(expected, [key(1)], next), false);
    assert.deepEqual(await keysOf(storage), records.map(plain));
    assert.equal(await storage.changeKeys(expected, { put: [key(9)], remove: [] }), false);
    assert.equal(await storage.rekey(await storage.readKeys(), [key(2, "the last")], next), true);
    assert.deepEqual(await keysOf(storage), [plain(key(2, "the last"))], "no other key is left");
  });

  test("changeKeys() lets one of two changes win that were decided on the same keys", async (storage) => {
    const expected = await storage.readKeys();
    const applied = await Promise.all(
      [1, 2, 3].map((id) => storage.changeKeys(expected, { put: [key(id)], remove: [] })),
    );
    assert.equal(applied.filter(Boolean).length, 1);
    assert.equal((await keysOf(storage)).length, 1);
  });

  testUsers(test);
  testClients(test);
}
