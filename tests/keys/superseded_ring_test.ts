import assert from "node:assert/strict";
import { base64url, decodeProtectedHeader } from "jose";
import type { KeyRing } from "../../lib/keys/key_ring.ts";
import { revoke } from "../../lib/rotation/operations.ts";
import { KeyEncryption } from "../../lib/sealing/key_encryption.ts";
import type { KeyStorage } from "../../lib/storage/storage.ts";
import { makeRing, POLICY } from "../support.ts";
import {
  keyIn,
  linesWith,
  makeRingOverDatabase,
  NEW_SECRET,
  publishedKids,
  putRows,
  reseal,
  rowOf,
} from "./rings.ts";

/** What a protected header says of its key's times. */
interface Times {
  sign_from: number;
  sign_until: number;
  exp: number;
  revoked_at: number | undefined;
}

/** Puts other times into a row's header, as somebody does who knows no secret. */
async function forge(storage: KeyStorage, id: number, change: Partial<Times>): Promise<void> {
  const row = await rowOf(storage, id);
  const [, ...rest] = new TextDecoder().decode(row.key).split(".");
  const header = { ...decodeProtectedHeader(new TextDecoder().decode(row.key)), ...change };
  const text = [base64url.encode(JSON.stringify(header)), ...rest].join(".");
  await putRows(storage, {
    id,
    key: new TextEncoder().encode(text),
    exp: change.exp ?? row.exp,
  });
}

/** A ring whose storage was sealed under another secret by another process. */
async function makeSupersededRing(prepare?: (ring: KeyRing) => Promise<void>) {
  const made = await makeRing();
  await prepare?.(made.ring);
  const next = await reseal(made.storage);
  await made.ring.signer();
  return { ...made, next };
}

/** The schedules of a ring's keys. */
function schedulesOf({ keys }: KeyRing) {
  return keys.map(({ id, signFrom, signUntil, exp, revokedAt }) => [
    id,
    signFrom,
    signUntil,
    exp,
    revokedAt,
  ]);
}

Deno.test("KeyRing under an old secret takes no later end from a header", async () => {
  const { ring, storage, time } = await makeSupersededRing();
  const before = schedulesOf(ring);
  const published = ring.published()!.etag;
  const { id, signUntil, exp } = keyIn("active", ring, time);
  for (const change of [{ exp: exp + 1000 }, { sign_until: signUntil + 1000 }, { sign_from: 0 }]) {
    await forge(storage, id, change);
    await ring.signer();
    await ring.maintain();
    assert.deepEqual(schedulesOf(ring), before, JSON.stringify(change));
  }
  assert.equal(ring.published()!.etag, published);
  time.advance(signUntil - time.seconds);
  assert.notEqual((await ring.signer()).kid, String(id));
  time.advance(exp - time.seconds);
  assert.ok(!publishedKids(ring).includes(String(id)));
});

Deno.test("KeyRing under an old secret lets no header undo a revocation", async () => {
  let revoked = 0;
  const { ring, storage, time } = await makeSupersededRing(async (ring) => {
    const { kid } = await ring.signer();
    revoked = Number(kid);
    await ring.change((held, now) => ({
      change: revoke(held.find((key) => key.kid === kid)!, now),
    }));
    await ring.maintain();
  });
  const before = schedulesOf(ring);
  const exp = time.seconds + 2 * POLICY.rotation;
  await forge(storage, revoked, { revoked_at: undefined, sign_until: exp - 10, exp });
  assert.notEqual((await ring.signer()).kid, String(revoked));
  assert.deepEqual(schedulesOf(ring), before);
  assert.ok(!publishedKids(ring).includes(String(revoked)));
});

Deno.test("KeyRing under an old secret obeys an earlier end and a revocation, for good", async () => {
  const { ring, storage, time } = await makeSupersededRing();
  const [active, next] = [keyIn("active", ring, time), keyIn("next", ring, time)];
  await forge(storage, active.id, { sign_until: time.seconds });
  assert.equal((await ring.signer()).kid, next.kid, "the next one takes over");
  assert.ok(publishedKids(ring).includes(active.kid), "its tokens still verify");
  await forge(storage, active.id, { exp: time.seconds });
  await ring.signer();
  assert.ok(!publishedKids(ring).includes(active.kid));
  await forge(storage, next.id, { revoked_at: time.seconds, exp: time.seconds });
  await assert.rejects(ring.signer(), { code: "overloaded" });
  assert.deepEqual(publishedKids(ring), []);

  await forge(storage, next.id, { revoked_at: undefined, exp: next.exp });
  await forge(storage, active.id, { exp: active.exp, sign_until: active.signUntil });
  await assert.rejects(ring.signer(), { code: "overloaded" });
  assert.deepEqual(publishedKids(ring), [], "what was taken away does not come back");
});

Deno.test("KeyRing under an old secret obeys a revocation that leaves the end as it was", async () => {
  const { ring, storage, time } = await makeSupersededRing();
  const [active, next] = [keyIn("active", ring, time), keyIn("next", ring, time)];
  await forge(storage, active.id, { revoked_at: time.seconds });
  assert.equal((await ring.signer()).kid, next.kid);
  assert.deepEqual(publishedKids(ring), [next.kid]);
});

Deno.test("KeyRing under an old secret drops a key whose row is deleted", async () => {
  const { ring, storage, time } = await makeSupersededRing();
  const [active, next] = [keyIn("active", ring, time), keyIn("next", ring, time)];
  await storage.changeKeys(await storage.readKeys(), { put: [], remove: [active.id] });
  assert.equal((await ring.signer()).kid, next.kid);
  assert.deepEqual(publishedKids(ring), [next.kid]);
});

Deno.test("KeyRing under an old secret takes a key out whose header cannot be decoded", async () => {
  const headers = ["", "!", base64url.encode("none"), base64url.encode("{}"), "\xff"];
  for (const header of headers) {
    const { ring, storage, time, lines } = await makeSupersededRing();
    const [active, next] = [keyIn("active", ring, time), keyIn("next", ring, time)];
    const row = await rowOf(storage, active.id);
    const [, ...rest] = new TextDecoder().decode(row.key).split(".");
    await putRows(storage, {
      ...row,
      key: Uint8Array.from([header, ...rest].join("."), (character) => character.charCodeAt(0)),
    });
    assert.equal((await ring.signer()).kid, next.kid);
    assert.deepEqual(publishedKids(ring), [next.kid]);
    assert.deepEqual(ring.refused.map(({ id }) => id), [String(active.id)]);
    await ring.maintain();
    const named = linesWith(lines, "a stored key is refused");
    assert.equal(named.length, 1);
    assert.equal(JSON.parse(named[0]!).kid, active.kid);
  }
});

Deno.test("KeyRing goes on under the new secret when it finds it, makes keys again, and says so", async () => {
  let isFound = false;
  const { ring, storage, time, lines } = await makeRing({
    parts: {
      reopen: async (record) => {
        return isFound ? await KeyEncryption.tryUnlock(NEW_SECRET, record) : undefined;
      },
    },
  });
  const { kid } = keyIn("active", ring, time);
  const next = await reseal(storage);
  const resealed = await storage.readKeys();
  time.advance(POLICY.rotation);
  await ring.maintain();
  assert.deepEqual(await storage.readKeys(), resealed, "it writes nothing under the old one");

  isFound = true; // the file is there now
  await ring.maintain();
  assert.equal(linesWith(lines, "goes on under the new one").length, 1);
  assert.ok(publishedKids(ring).includes(kid), "what it held goes on verifying");
  const made = await rowOf(storage, keyIn("next", ring, time).id);
  assert.equal((await next.open(made)).schedule.exp, made.exp, "sealed under the new one");
  await ring.change((held, now) => ({ change: revoke(held[0]!, now) }));
});

Deno.test("KeyRing that finds the new secret at once is never without it", async () => {
  const { ring, storage, time, lines } = await makeRing({
    parts: { reopen: (record) => KeyEncryption.tryUnlock(NEW_SECRET, record) },
  });
  const before = [...ring.keys];
  await reseal(storage);
  assert.equal((await ring.signer()).kid, keyIn("active", ring, time).kid);
  assert.deepEqual(linesWith(lines, '"level":"error"'), []);
  assert.equal(linesWith(lines, "goes on under the new one").length, 1);
  assert.deepEqual(ring.keys.map(({ kid }) => kid), before.map(({ kid }) => kid));
  time.advance(POLICY.rotation);
  await ring.maintain();
  assert.equal(ring.keys.length, 4);
});

Deno.test("KeyRing under an old secret holds the proven times again when it can prove them", async () => {
  const { ring, storage, encryption, time } = await makeRing();
  const before = await storage.readKeys();
  const times = schedulesOf(ring);
  const { id, exp } = keyIn("active", ring, time);
  await reseal(storage);
  await forge(storage, id, { exp: exp - 1000 });
  await ring.signer();
  assert.notDeepEqual(schedulesOf(ring), times);
  assert.ok(await storage.rekey(await storage.readKeys(), before.records, encryption.record));
  await ring.signer();
  assert.deepEqual(schedulesOf(ring), times);
});

Deno.test("KeyRing goes on with what it holds when the record of the secret is lost or junk", async () => {
  for (
    const spoil of ["DELETE FROM meta WHERE name = 'kek_check'", "UPDATE meta SET value = x'00'"]
  ) {
    const { ring, database } = await makeRingOverDatabase();
    const { kid } = await ring.signer();
    database.run(spoil);
    assert.equal((await ring.signer()).kid, kid);
    await ring.maintain();
    assert.equal((await ring.signer()).kid, kid);
  }
});
