import assert from "node:assert/strict";
import { isDomainError } from "../../lib/base/errors.ts";
import { KeyEncryption } from "../../lib/sealing/key_encryption.ts";
import { createReopener } from "../../lib/sealing/secret.ts";
import { keptFileOf, pendingFileOf, secretFileOf } from "../../lib/sealing/secret_file.ts";
import type { KeyEncryptionRecord } from "../../lib/storage/storage.ts";
import { CHEAP, failureOf, SECRET, withTempDir } from "../support.ts";
import { sourceIn } from "./secret_files.ts";

const NEW_SECRET = "the secret that a rekey made";

/** The database was sealed under `NEW_SECRET`; the file beside it still holds the old one. */
async function withRekeyed(
  body: (
    rekeyed: { directory: string; file: string; record: KeyEncryptionRecord },
  ) => Promise<void>,
): Promise<void> {
  await withTempDir(async (directory) => {
    const file = secretFileOf(sourceIn(directory).database);
    await Deno.writeTextFile(file, SECRET);
    await body({ directory, file, record: (await KeyEncryption.create(NEW_SECRET, CHEAP)).record });
  });
}

/** The same secret's record, whose key cannot be derived: whoever tries fails. */
function underivable({ check }: KeyEncryptionRecord): KeyEncryptionRecord {
  return { check, derivation: new TextEncoder().encode("none") };
}

Deno.test("createReopener() finds the new secret pending, in its place, and kept", async () => {
  await withRekeyed(async ({ directory, file, record }) => {
    for (const place of [pendingFileOf(file, record), file, keptFileOf(file, record)]) {
      const before = await Deno.readTextFile(place).catch(() => undefined);
      await Deno.writeTextFile(place, NEW_SECRET);
      const found = await createReopener(sourceIn(directory))(record);
      assert.deepEqual(found?.record, record, place);
      if (before === undefined) await Deno.remove(place);
      else await Deno.writeTextFile(place, before);
    }
  });
});

Deno.test("createReopener() reads the file that NOT_MY_KEY_FILE names", async () => {
  await withRekeyed(async ({ directory, record }) => {
    const secretFile = `${directory}/named`;
    await Deno.writeTextFile(secretFile, NEW_SECRET);
    const found = await createReopener(sourceIn(directory, { secretFile }))(record);
    assert.deepEqual(found?.record, record);
  });
});

Deno.test("createReopener() gives nothing while the old secret stands there, and finds what replaces it", async () => {
  await withRekeyed(async ({ directory, file, record }) => {
    const reopen = createReopener(sourceIn(directory));
    assert.equal(await reopen(record), undefined);
    await Deno.writeTextFile(file, NEW_SECRET);
    assert.deepEqual((await reopen(record))?.record, record);
  });
});

Deno.test("createReopener() derives from a wrong secret once, however often it is asked", async () => {
  await withRekeyed(async ({ directory, record }) => {
    const reopen = createReopener(sourceIn(directory));
    assert.equal(await reopen(record), undefined);
    assert.equal(await reopen(underivable(record)), undefined);
    const another = createReopener(sourceIn(directory));
    const error = await failureOf(() => another(underivable(record)));
    assert.ok(isDomainError(error, "database_unusable"), "it would have been noticed");
  });
});

Deno.test("createReopener() tries a secret again for another record", async () => {
  await withRekeyed(async ({ directory, file, record }) => {
    const reopen = createReopener(sourceIn(directory));
    assert.equal(await reopen(record), undefined);
    const back = await KeyEncryption.create(await Deno.readTextFile(file), CHEAP);
    assert.deepEqual((await reopen(back.record))?.record, back.record);
  });
});

Deno.test("createReopener() gives nothing with NOT_MY_KEY, whatever stands in the file", async () => {
  await withRekeyed(async ({ directory, file, record }) => {
    await Deno.writeTextFile(file, NEW_SECRET);
    const reopen = createReopener(sourceIn(directory, { secret: SECRET }));
    assert.equal(await reopen(record), undefined);
    assert.equal(await reopen(underivable(record)), undefined);
  });
});
