import assert from "node:assert/strict";
import fc from "fast-check";
import { hashRaw } from "@node-rs/argon2";
import { base64url, compactDecrypt, CompactEncrypt, decodeProtectedHeader, type JWK } from "jose";
import {
  createDerivation,
  deriveKeyEncryptionKey,
  openKey,
  opensCheck,
  sealCheck,
  sealKey,
} from "../../lib/sealing/encryption.ts";
import { RECOMMENDED_COST } from "../../lib/base/argon2_cost.ts";
import { isDomainError } from "../../lib/base/errors.ts";
import type { KeyRecord } from "../../lib/storage/storage.ts";
import { CHEAP, failureOf, SECRET } from "../support.ts";

const SCHEDULE = { id: 1_893_456_000_123, signFrom: 100, signUntil: 200, exp: 300 };
const JWK_SECRET = "c2VjcmV0LWNvbnRlbnQ";
const JWK_KEPT: JWK = { kty: "oct", k: JWK_SECRET, kid: String(SCHEDULE.id) };

const derivation = createDerivation(CHEAP);
const kek = await deriveKeyEncryptionKey(SECRET, derivation);
const record = await sealKey(kek, SCHEDULE, JWK_KEPT);

function textOf({ key }: KeyRecord): string {
  return new TextDecoder().decode(key);
}

function withText(text: string): KeyRecord {
  return { ...record, key: new TextEncoder().encode(text) };
}

/** Asserts that the row is refused by its name, and that the refusal holds nothing secret. */
async function assertRefused(row: KeyRecord, key: CryptoKey = kek, what = ""): Promise<void> {
  const error = await failureOf(() => openKey(key, row), what);
  assert.ok(isDomainError(error, "key_unreadable"), what);
  assert.equal(error.data.row, String(row.id));
  assert.match(error.message, new RegExp(`\\b${row.id}\\b`));
  assert.ok(!Deno.inspect(error, { depth: 10 }).includes(JWK_SECRET), what);
}

Deno.test("openKey() gives back what sealKey() sealed, for any schedule and content", async () => {
  const time = fc.integer({ min: 0, max: 2 ** 40 });
  const revokedAt = fc.option(time, { nil: undefined });
  const schedules = fc.record(
    { id: fc.maxSafeNat(), signFrom: time, signUntil: time, exp: time, revokedAt },
    { noNullPrototype: true },
  );
  await fc.assert(fc.asyncProperty(schedules, fc.string(), async (schedule, k) => {
    const jwk = { kty: "oct", k };
    const row = await sealKey(kek, schedule, jwk);
    assert.equal(row.id, schedule.id);
    assert.equal(row.exp, schedule.exp);
    const opened = await openKey(kek, row);
    assert.deepEqual({ revokedAt: undefined, ...opened.schedule }, schedule);
    assert.deepEqual(opened.jwk, jwk);
  }));
});

Deno.test("sealKey() makes a compact JWE whose header carries the schedule", () => {
  assert.deepEqual(decodeProtectedHeader(textOf(record)), {
    alg: "dir",
    enc: "A256GCM",
    cty: "jwk+json",
    kid: String(SCHEDULE.id),
    sign_from: SCHEDULE.signFrom,
    sign_until: SCHEDULE.signUntil,
    exp: SCHEDULE.exp,
  });
});

Deno.test("sealKey() takes a fresh 96-bit IV every time", async () => {
  const ivs = new Set<string>();
  for (let count = 0; count < 100; count++) {
    const iv = textOf(await sealKey(kek, SCHEDULE, JWK_KEPT)).split(".")[2]!;
    assert.equal(base64url.decode(iv).length, 12);
    ivs.add(iv);
  }
  assert.equal(ivs.size, 100);
});

Deno.test("sealKey() leaves nothing of the content readable", () => {
  assert.ok(!textOf(record).includes(JWK_SECRET));
  assert.ok(!textOf(record).includes(base64url.encode(JSON.stringify(JWK_KEPT)).slice(4, 20)));
});

Deno.test("sealKey() is opened by any JOSE tool that has the secret and the derivation", async () => {
  const raw = await hashRaw(SECRET, {
    salt: base64url.decode(derivation.salt),
    memoryCost: derivation.memoryKib,
    timeCost: derivation.passes,
    parallelism: derivation.lanes,
    outputLen: 32,
  });
  const { plaintext } = await compactDecrypt(record.key, new Uint8Array(raw));
  assert.deepEqual(JSON.parse(new TextDecoder().decode(plaintext)), JWK_KEPT);
});

Deno.test("openKey() refuses a row when any bit of it is flipped", async () => {
  for (let bit = 0; bit < record.key.length * 8; bit++) {
    const key = record.key.slice();
    key[bit >> 3]! ^= 1 << (bit & 7);
    await assertRefused({ ...record, key }, kek, `bit ${bit & 7} of byte ${bit >> 3}`);
  }
});

Deno.test("openKey() refuses a row with any one byte replaced, removed or inserted", async () => {
  const edits = fc.record({
    at: fc.nat(record.key.length - 1),
    remove: fc.integer({ min: 0, max: 1 }),
    insert: fc.uint8Array({ maxLength: 2 }),
  });
  await fc.assert(fc.asyncProperty(edits, async ({ at, remove, insert }) => {
    const [before, after] = [record.key.slice(0, at), record.key.slice(at + remove)];
    const key = new Uint8Array([...before, ...insert, ...after]);
    fc.pre(textOf({ ...record, key }) !== textOf(record));
    await assertRefused({ ...record, key });
  }));
});

Deno.test("openKey() refuses a row with white space or padding behind it", async () => {
  for (const tail of ["\n", " ", "=", "=="]) {
    await assertRefused(withText(textOf(record) + tail), kek, JSON.stringify(tail));
  }
});

Deno.test("openKey() refuses a truncated row, at every length", async () => {
  for (let length = 0; length < record.key.length; length++) {
    await assertRefused({ ...record, key: record.key.slice(0, length) }, kek, `length ${length}`);
  }
});

Deno.test("openKey() refuses swapped rows", async () => {
  const other = await sealKey(kek, { ...SCHEDULE, id: SCHEDULE.id + 1 }, JWK_KEPT);
  await assertRefused({ ...record, key: other.key });
  await assertRefused({ ...other, key: record.key });
});

Deno.test("openKey() refuses a row whose exp was changed", async () => {
  for (const exp of [0, SCHEDULE.exp - 1, SCHEDULE.exp + 1, 2 ** 50]) {
    await assertRefused({ ...record, exp });
  }
});

Deno.test("openKey() refuses a row with the header of another", async () => {
  for (const change of [{ signFrom: 50 }, { signUntil: 250 }, { revokedAt: 300 }]) {
    const [header] = textOf(await sealKey(kek, { ...SCHEDULE, ...change }, JWK_KEPT)).split(".");
    const [, ...rest] = textOf(record).split(".");
    await assertRefused(withText([header, ...rest].join(".")), kek, JSON.stringify(change));
  }
});

Deno.test("openKey() refuses a row sealed under another secret or another salt", async () => {
  const otherSecret = await deriveKeyEncryptionKey(`${SECRET}!`, derivation);
  const otherSalt = await deriveKeyEncryptionKey(SECRET, createDerivation(CHEAP));
  await assertRefused(record, otherSecret);
  await assertRefused(record, otherSalt);
});

Deno.test("openKey() refuses a sealed content that is no key, and does not quote it", async () => {
  const header = decodeProtectedHeader(textOf(record)) as { alg: "dir"; enc: "A256GCM" };
  for (const content of [JWK_SECRET, `{"k":${JWK_SECRET}}`, `"${JWK_SECRET}`]) {
    const jwe = await new CompactEncrypt(new TextEncoder().encode(content))
      .setProtectedHeader(header).encrypt(kek);
    await assertRefused(withText(jwe));
  }
});

Deno.test("openKey() refuses a header without whole times", async () => {
  const header = decodeProtectedHeader(textOf(record)) as { alg: "dir"; enc: "A256GCM" };
  for (const sign_from of [undefined, "100", 1.5, null]) {
    const jwe = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(JWK_KEPT)))
      .setProtectedHeader({ ...header, sign_from }).encrypt(kek);
    await assertRefused(withText(jwe));
  }
});

Deno.test("deriveKeyEncryptionKey() makes a key that cannot be exported", async () => {
  assert.equal(kek.extractable, false);
  await assert.rejects(crypto.subtle.exportKey("raw", kek), { name: "InvalidAccessError" });
});

Deno.test("createDerivation() has RFC 9106's cost and a salt of its own", () => {
  const [one, other] = [createDerivation(), createDerivation()];
  const { kdf, salt, ...cost } = one;
  assert.equal(kdf, "argon2id");
  assert.equal(base64url.decode(salt).length, 16);
  assert.notEqual(salt, other.salt);
  assert.deepEqual(cost, RECOMMENDED_COST);
  assert.deepEqual(cost, { memoryKib: 65_536, passes: 3, lanes: 4 });
});

Deno.test("opensCheck() tells the key that sealed from every other", async () => {
  const check = await sealCheck(kek);
  assert.equal(await opensCheck(kek, check), true);
  assert.equal(await opensCheck(await deriveKeyEncryptionKey(SECRET, derivation), check), true);
  assert.equal(
    await opensCheck(await deriveKeyEncryptionKey("x".repeat(16), derivation), check),
    false,
  );
  assert.equal(await opensCheck(kek, new Uint8Array()), false);
  assert.equal(await opensCheck(kek, record.key), false); // another text under the same key
});
