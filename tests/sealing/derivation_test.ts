import assert from "node:assert/strict";
import { isDomainError } from "../../lib/base/errors.ts";
import {
  createDerivation,
  decodeDerivation,
  encodeDerivation,
} from "../../lib/sealing/encryption.ts";
import { KeyEncryption } from "../../lib/sealing/key_encryption.ts";
import { CHEAP, failureOf, SECRET } from "../support.ts";

const { record } = await KeyEncryption.create(SECRET, CHEAP);
const { salt } = decodeDerivation(record.derivation);

/** Asserts that nothing is derived by such a record, and that the refusal says so in words. */
async function assertUnusable(derivation: Uint8Array, what: string): Promise<void> {
  const start = performance.now();
  const error = await failureOf(
    () => KeyEncryption.tryUnlock(SECRET, { ...record, derivation }),
    what,
  );
  assert.ok(performance.now() - start < 250, what);
  assert.ok(isDomainError(error, "database_unusable"), `${what}: ${Deno.inspect(error)}`);
  assert.match(error.message, /the row kek_derivation of the table meta/);
  assert.match(error.hints.join(), /restore a backup/);
  assert.ok(!`${error.message}${Deno.inspect(error)}`.includes(SECRET));
}

Deno.test("decodeDerivation() gives what encodeDerivation() took", () => {
  const derivation = createDerivation(CHEAP);
  assert.deepEqual(decodeDerivation(encodeDerivation(derivation)), derivation);
});

Deno.test("decodeDerivation() refuses costs beyond what is ever spent, and ones that are none", async () => {
  const costs = [
    { memoryKib: 8 * 1024 * 1024 },
    { memoryKib: 1_048_577 },
    { memoryKib: 7 },
    { memoryKib: "64" },
    { passes: 4_000_000_000 },
    { passes: 65 },
    { passes: 0 },
    { passes: 1.5 },
    { passes: -1 },
    { lanes: 256 },
    { lanes: 0 },
    { lanes: 2 }, // which 8 KiB are too little for
    { lanes: undefined },
  ];
  for (const cost of costs) {
    const text = JSON.stringify({ kdf: "argon2id", salt, ...CHEAP, ...cost });
    await assertUnusable(new TextEncoder().encode(text), text);
  }
});

Deno.test("decodeDerivation() refuses another function, and a salt that is missing or none", async () => {
  const others = [
    { kdf: "argon2i" },
    { kdf: "scrypt" },
    { kdf: undefined },
    { salt: undefined },
    { salt: "" },
    { salt: "AAAA" },
    { salt: 5 },
    { salt: `${salt}=` },
    { salt: "A".repeat(25) }, // no byte string is so long in base64url
    { salt: "A".repeat(1000) },
  ];
  for (const other of others) {
    const text = JSON.stringify({ kdf: "argon2id", salt, ...CHEAP, ...other });
    await assertUnusable(new TextEncoder().encode(text), text);
  }
});

Deno.test("decodeDerivation() refuses what is no JSON object", async () => {
  for (const text of ["", "none", "{", "[]", "null", "5", `"${salt}"`, "{}", "[".repeat(10_000)]) {
    await assertUnusable(new TextEncoder().encode(text), text.slice(0, 20));
  }
  await assertUnusable(new Uint8Array([0xff, 0xfe]), "not UTF-8");
});
