import assert from "node:assert/strict";
import type { SqliteDatabase } from "../../lib/storage/sqlite/database.ts";
import { revoke } from "../../lib/rotation/operations.ts";
import { POLICY } from "../support.ts";
import {
  keyIn,
  lastingKeys,
  linesWith,
  makeRingOverDatabase,
  publishedKids,
  putRows,
  rowOf,
} from "./rings.ts";

const REFUSED = "a stored key is refused";

/** What may become of the row of one key, beside another's. */
const ALTERATIONS: Record<string, (database: SqliteDatabase, id: number, other: number) => void> = {
  "other bytes": (database, id) => {
    database.run("UPDATE keys SET key = CAST(upper(key) AS BLOB) WHERE kid = ?", id);
  },
  "another row's content": (database, id, other) => {
    database.run(
      "UPDATE keys SET key = (SELECT key FROM keys WHERE kid = ?) WHERE kid = ?",
      other,
      id,
    );
  },
  "another exp": (database, id) => {
    database.run("UPDATE keys SET exp = exp + 1 WHERE kid = ?", id);
  },
  "no JWE": (database, id) => {
    database.run("UPDATE keys SET key = x'00ff' WHERE kid = ?", id);
  },
  "text for a key": (database, id) => {
    database.run("UPDATE keys SET key = 'text' WHERE kid = ?", id);
  },
  "text for exp": (database, id) => {
    database.run("UPDATE keys SET exp = 'soon' WHERE kid = ?", id);
  },
};

for (const [what, alter] of Object.entries(ALTERATIONS)) {
  Deno.test(`KeyRing goes on without the active key when its row is altered to ${what}`, async () => {
    const { ring, database, time, lines } = await makeRingOverDatabase();
    const [active, next] = [keyIn("active", ring, time), keyIn("next", ring, time)];
    const row = database.get<{ key: Uint8Array; exp: number }>(
      "SELECT key, exp FROM keys WHERE kid = ?",
      active.id,
    )!;
    alter(database, active.id, next.id);
    for (let poll = 0; poll < 3; poll++) {
      assert.equal((await ring.signer()).kid, next.kid, "the next one takes over");
      await ring.maintain();
      assert.ok(!publishedKids(ring).includes(active.kid));
      assert.ok(publishedKids(ring).includes(next.kid));
    }
    assert.deepEqual(ring.refused.map(({ id }) => id), [String(active.id)]);
    const [line, ...more] = linesWith(lines, REFUSED);
    assert.deepEqual(more, [], "it is named once");
    assert.equal(JSON.parse(line!).kid, active.kid);
    assert.equal(JSON.parse(line!).row, String(active.id));
    assert.equal(ring.emergencies, 0, "verifiers know the next one");

    database.run("UPDATE keys SET key = ?, exp = ? WHERE kid = ?", row.key, row.exp, active.id);
    await ring.signer();
    assert.deepEqual(ring.refused, []);
    assert.ok(publishedKids(ring).includes(active.kid), "mended, it is read again");
  });

  Deno.test(`KeyRing goes on without the next key when its row is altered to ${what}`, async () => {
    const { ring, database, time } = await makeRingOverDatabase();
    const [active, next] = [keyIn("active", ring, time), keyIn("next", ring, time)];
    alter(database, next.id, active.id);
    await ring.maintain();
    assert.equal((await ring.signer()).kid, active.kid);
    assert.notEqual(keyIn("next", ring, time).kid, next.kid, "another one follows");
    assert.ok(!publishedKids(ring).includes(next.kid));
  });

  Deno.test(`KeyRing makes a new key in an emergency when every row is altered to ${what}`, async () => {
    const { ring, database, lines } = await makeRingOverDatabase();
    const ids = ring.keys.map(({ id }) => id);
    for (const [place, id] of ids.entries()) alter(database, id, ids[(place + 1) % ids.length]!);
    const { kid } = await ring.signer();
    assert.ok(!ids.includes(Number(kid)), "its number collides with no refused row's");
    await ring.maintain();
    assert.equal(ring.emergencies, 1);
    assert.equal(linesWith(lines, "a new one signs at once").length, 1);
    assert.deepEqual(ring.refused.map(({ id }) => Number(id)).toSorted(), ids);
    assert.equal(lastingKeys(ring).length, 2);
    const rows = database.all<{ kid: number }>("SELECT kid FROM keys").map((row) => row.kid);
    for (const id of ids) assert.ok(rows.includes(id), "a refused row is left for the operator");
  });
}

Deno.test("KeyRing gives a new key no number of a row that it refuses, nor overwrites one", async () => {
  const { ring, database, time } = await makeRingOverDatabase();
  time.advance(POLICY.rotation);
  const insert = (id: number, key: Uint8Array | string, exp: number | string) =>
    database.run("INSERT INTO keys (kid, key, exp) VALUES (?, ?, ?)", id, key, exp);
  insert(time.now, new Uint8Array(1), 5);
  insert(time.now + 1, new Uint8Array(1), "soon");
  insert(time.now + 2, "text", 5);
  const sql = "SELECT kid, hex(key) AS key, exp FROM keys WHERE kid BETWEEN ? AND ?";
  const rows = database.all(sql, time.now, time.now + 2);
  await ring.maintain();
  assert.deepEqual(database.all(sql, time.now, time.now + 2), rows);
  assert.equal(keyIn("next", ring, time).id, time.now + 3);
});

Deno.test("KeyRing lets no older row undo a revocation, and names it; other keys' older rows count", async () => {
  const { ring, storage, time, lines } = await makeRingOverDatabase();
  const active = keyIn("active", ring, time);
  const next = keyIn("next", ring, time);
  const [old, other] = [await rowOf(storage, active.id), await rowOf(storage, next.id)];
  await ring.change((held, now) => ({
    change: revoke(held.find(({ id }) => id === active.id)!, now),
  }));
  await ring.maintain();
  const revoked = await rowOf(storage, active.id);
  await putRows(storage, old, other);
  for (let poll = 0; poll < 2; poll++) {
    assert.notEqual((await ring.signer()).kid, active.kid);
    assert.ok(!publishedKids(ring).includes(active.kid));
    await ring.maintain();
  }
  assert.deepEqual(ring.refused.map(({ id }) => id), [String(active.id)]);
  assert.equal(linesWith(lines, REFUSED).length, 1);
  await putRows(storage, revoked);
  await ring.signer();
  assert.deepEqual(ring.refused, [], "the row that says so is no fault");
  await putRows(storage, old);
  await ring.signer();
  assert.ok(!publishedKids(ring).includes(active.kid));
});
