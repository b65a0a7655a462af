import assert from "node:assert/strict";
import { DomainError, isDomainError } from "../../lib/base/errors.ts";
import { HeldKeys } from "../../lib/keys/held_keys.ts";
import { KeyWriter, type NewKey } from "../../lib/keys/key_writer.ts";
import { generatePrivateJwk } from "../../lib/keys/signing_key.ts";
import { failureOf, FakeClock, ringParts } from "../support.ts";
import { linesWith, reseal, rowOf } from "./rings.ts";

const SCHEDULE = { signFrom: 100, signUntil: 200, exp: 300 };

/** A writer over a new storage, and what it holds. */
async function makeWriter() {
  const time = new FakeClock();
  const parts = await ringParts({ time });
  const held = new HeldKeys({ ...parts, isStrict: true });
  await held.reload();
  const writer = new KeyWriter({ ...parts, held });
  const add = async (...keys: NewKey[]) => {
    assert.ok(await writer.commit({ reschedule: [], add: keys, remove: [] }));
    await held.reload();
  };
  return { ...parts, time, held, writer, add };
}

const jwk = await generatePrivateJwk("ES256");

Deno.test("KeyWriter.register() gives the millisecond for a number, and it for a kid", async () => {
  const { writer, time } = await makeWriter();
  const { schedule, jwk: named } = writer.register(SCHEDULE, jwk);
  assert.deepEqual(schedule, { ...SCHEDULE, id: time.now });
  assert.deepEqual(named, { ...jwk, kid: String(time.now) });
});

Deno.test("KeyWriter.register() keeps the kid that a key came with", async () => {
  const { writer, time } = await makeWriter();
  const { schedule, jwk: named } = writer.register(SCHEDULE, { ...jwk, kid: "old-issuer" });
  assert.equal(schedule.id, time.now);
  assert.equal(named.kid, "old-issuer");
});

Deno.test("KeyWriter.register() gives no number or kid that anything stored, held or waiting has", async () => {
  const { writer, time, add } = await makeWriter();
  await add(writer.register(SCHEDULE, jwk));
  const imported = writer.register(SCHEDULE, { ...jwk, kid: String(time.now + 2) });
  assert.equal(imported.schedule.id, time.now + 1);
  await add(imported);
  const waiting: NewKey[] = [];
  for (let count = 0; count < 5; count++) {
    waiting.push(writer.register(SCHEDULE, jwk, waiting));
  }
  assert.deepEqual(waiting.map(({ schedule }) => schedule.id - time.now), [3, 4, 5, 6, 7]);
  const named = writer.register(SCHEDULE, { ...jwk, kid: String(time.now + 9) }, waiting);
  assert.equal(named.schedule.id, time.now + 8);
  assert.equal(writer.register(SCHEDULE, jwk, [...waiting, named]).schedule.id, time.now + 10);
});

Deno.test("KeyWriter.commit() writes onto what it was decided on only, and all of it or nothing", async () => {
  const { writer, held, storage, add, time, lines } = await makeWriter();
  await add(writer.register(SCHEDULE, jwk));
  await storage.writePolicy(new Uint8Array([1])); // as another process does
  const before = await storage.readKeys();
  const revision = {
    reschedule: [{ ...held.keys[0]!, exp: 400 }],
    add: [writer.register(SCHEDULE, jwk)],
    remove: [],
  };
  assert.equal(await writer.commit(revision), false);
  assert.deepEqual(await storage.readKeys(), before);

  await held.refresh();
  lines.length = 0;
  assert.equal(await writer.commit(revision), true);
  assert.equal((await rowOf(storage, time.now)).exp, 400);
  assert.equal((await storage.readKeys()).records.length, 2);
  assert.equal(linesWith(lines, "a key was scheduled").length, 1);
  assert.equal(linesWith(lines, "a key was made").length, 1);
});

Deno.test("HeldKeys.refresh() keeps what did not change, and opens only what did", async () => {
  const { writer, held, storage, encryption, add, time } = await makeWriter();
  await add(writer.register(SCHEDULE, jwk));
  await add(writer.register(SCHEDULE, await generatePrivateJwk("ES256")));
  const { keys } = held;
  await storage.writePolicy(new Uint8Array([1]));
  await held.refresh();
  assert.equal(held.keys, keys, "the same array");
  const schedule = { ...SCHEDULE, id: time.now, exp: 400 };
  const put = [await encryption.seal(schedule, { ...jwk, kid: String(time.now) })];
  assert.ok(await storage.changeKeys(await storage.readKeys(), { put, remove: [] }));
  await held.refresh();
  assert.notEqual(held.keys[0], keys[0]);
  assert.equal(held.keys[0]!.exp, 400);
  assert.equal(held.keys[1], keys[1]);
});

Deno.test("HeldKeys.reload() refuses a database whose secret was changed just before", async () => {
  const one = await makeWriter();
  const other = await makeWriter();
  const { encryption } = other;
  const held = new HeldKeys({ ...one, encryption, isStrict: true });
  const error = await failureOf(() => held.reload());
  assert.ok(isDomainError(error, "secret_unusable"));
  assert.deepEqual(held.keys, []);
});

Deno.test("HeldKeys.reload() goes on with what it holds while the secret's file is half changed", async () => {
  const { storage, encryption, log, writer, add } = await makeWriter();
  await add(writer.register(SCHEDULE, jwk));
  let failure: Error = new DomainError("secret_unusable", "The secret is too short");
  const reopen = () => Promise.reject(failure);
  const held = new HeldKeys({ storage, encryption, log, reopen, isStrict: true });
  await held.reload();
  const { keys } = held;
  await reseal(storage);
  await held.refresh();
  assert.equal(held.isSuperseded, true);
  assert.deepEqual(held.keys.map(({ kid }) => kid), keys.map(({ kid }) => kid));
  failure = new Error("a fault of the program");
  await assert.rejects(held.reload(), failure, "is not taken for a secret that does not fit");
});
