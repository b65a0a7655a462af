import assert from "node:assert/strict";
import { KeyEncryption } from "../../lib/sealing/key_encryption.ts";
import { resealKeys } from "../../lib/sealing/reseal.ts";
import { createReopener } from "../../lib/sealing/secret.ts";
import { sourceIn } from "../sealing/secret_files.ts";
import { CHEAP, makeRing, withTempDir } from "../support.ts";

const NEW_SECRET = "quite another secret";

Deno.test("KeyRing goes on under a new secret whose file several ask for at the same time", async () => {
  await withTempDir(async (directory) => {
    const database = `${directory}/db`;
    const reopen = createReopener(sourceIn(directory));
    const { ring, storage, encryption } = await makeRing({ parts: { reopen } });
    const { kid } = await ring.signer();
    const next = await KeyEncryption.create(NEW_SECRET, CHEAP);
    await resealKeys(storage, encryption, next);
    await Deno.writeTextFile(`${database}.key`, NEW_SECRET);

    const signers = await Promise.all(Array.from({ length: 5 }, () => ring.signer()));
    assert.deepEqual(new Set(signers.map((signer) => signer.kid)), new Set([kid]));
    // Only who has the new secret writes.
    await ring.change((keys) => ({ change: [{ ...keys[0]!, exp: keys[0]!.exp + 1 }] }));
  });
});

Deno.test("createReopener() derives anew once a record is mended, and shares what is under way", async () => {
  await withTempDir(async (directory) => {
    const database = `${directory}/db`;
    await Deno.writeTextFile(`${database}.key`, NEW_SECRET);
    const reopen = createReopener(sourceIn(directory));
    const { record } = await KeyEncryption.create(NEW_SECRET, CHEAP);
    const junk = { ...record, derivation: new Uint8Array([1]) };
    await assert.rejects(reopen(junk), { code: "database_unusable" });
    const opened = await Promise.all([reopen(record), reopen(record), reopen({ ...record })]);
    assert.ok(opened.every((encryption) => encryption !== undefined));
  });
});
