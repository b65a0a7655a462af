import assert from "node:assert/strict";
import { SqliteStorage } from "../../../lib/storage/sqlite/sqlite_storage.ts";
import type { KeySnapshot } from "../../../lib/storage/storage.ts";
import { openDatabase } from "../../support.ts";

const LARGEST = Number.MAX_SAFE_INTEGER;

/** A storage with these rows in `keys`, written as SQL by a program that is not this one. */
function withRows(...rows: string[]) {
  const database = openDatabase();
  for (const row of rows) database.run(`INSERT INTO keys (kid, key, exp) VALUES (${row})`);
  return { database, storage: new SqliteStorage(database) };
}

function ids({ records }: KeySnapshot): number[] {
  return records.map(({ id }) => id);
}

Deno.test("readKeys() names a row whose kid is larger than JavaScript's numbers, and reads the others", async () => {
  const { storage } = withRows(
    "1, x'01', 10",
    `${LARGEST}, x'02', ${LARGEST}`,
    "9007199254740992, x'03', 10",
    "9007199254740993, x'04', 10",
    "9223372036854775807, x'05', 10",
    "-9223372036854775808, x'06', 10",
  );
  const snapshot = await storage.readKeys();
  assert.deepEqual(ids(snapshot), [1, LARGEST]);
  assert.deepEqual(snapshot.records.map(({ exp }) => exp), [10, LARGEST]);
  const reason = "its kid is larger than any key's";
  assert.deepEqual(snapshot.odd, [
    { id: "-9223372036854775808", reason },
    { id: "9007199254740992", reason },
    { id: "9007199254740993", reason },
    { id: "9223372036854775807", reason },
  ]);
  await storage.close();
});

Deno.test("readKeys() names a row whose exp is no time that a number can tell, and reads the others", async () => {
  const { storage } = withRows(
    "1, x'01', 10",
    "2, x'02', 9007199254740993",
    "3, x'03', 'soon'",
    "4, x'04', 10.5",
    "5, x'05', x'06'",
    "6, x'06', 1e300",
    "7, x'07', -10",
  );
  const snapshot = await storage.readKeys();
  assert.deepEqual(ids(snapshot), [1, 7]);
  assert.deepEqual(
    snapshot.odd,
    ["2", "3", "4", "5", "6"].map((id) => ({ id, reason: "its exp is no time" })),
  );
  await storage.close();
});

Deno.test("readKeys() names a row whose key is text or a number, and reads the others", async () => {
  const { storage } = withRows("1, 'eyJhbGciOiJkaXIifQ....', 10", "2, 17, 10", "3, x'03', 10");
  const snapshot = await storage.readKeys();
  assert.deepEqual(ids(snapshot), [3]);
  const reason = "its key is no bytes";
  assert.deepEqual(snapshot.odd, [{ id: "1", reason }, { id: "2", reason }]);
  await storage.close();
});

Deno.test("changeKeys() deletes an odd row by its number, digit by digit, and none beside it", async () => {
  const { database, storage } = withRows(
    "1, x'01', 10",
    "9007199254740992, x'03', 10",
    "9007199254740993, x'04', 10",
  );
  const remove = ["9007199254740993"];
  assert.equal(await storage.changeKeys(await storage.readKeys(), { put: [], remove }), true);
  const left = database.all<{ kid: string }>("SELECT CAST(kid AS TEXT) AS kid FROM keys");
  assert.deepEqual(left.map(({ kid }) => kid), ["1", "9007199254740992"]);
  await storage.close();
});

Deno.test("changeKeys() works beside odd rows, and leaves them alone", async () => {
  const { storage } = withRows("1, 'text', 10", "9007199254740993, x'04', 10");
  const put = [{ id: 2, key: new Uint8Array([2]), exp: 20 }];
  assert.equal(await storage.changeKeys(await storage.readKeys(), { put, remove: [] }), true);
  const snapshot = await storage.readKeys();
  assert.deepEqual(ids(snapshot), [2]);
  assert.equal(snapshot.odd.length, 2);
  await storage.close();
});
