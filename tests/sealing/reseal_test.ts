import assert from "node:assert/strict";
import { DISK } from "../../lib/base/disk.ts";
import { isDomainError } from "../../lib/base/errors.ts";
import { KeyEncryption } from "../../lib/sealing/key_encryption.ts";
import { renewSecret, resealKeys } from "../../lib/sealing/reseal.ts";
import { keptFileOf } from "../../lib/sealing/secret_file.ts";
import { CHEAP, failureOf, openStorage, SECRET, wrapStorage } from "../support.ts";
import { assertHolds, withSealedDatabase } from "./sealed_database.ts";
import { assertRefused, contentsOf, filesIn } from "./secret_files.ts";

const NEW_SECRET = "quite another secret";

Deno.test("renewSecret() puts a new secret into the file and keeps the old one beside it, named", async () => {
  await withSealedDatabase(async (sealed, directory) => {
    const before = await Deno.readTextFile(sealed.file);
    const { count, file, keptFile } = await sealed.renew();
    assert.equal(count, 3);
    assert.equal(file, sealed.file);
    assert.match(keptFile!.slice(sealed.file.length), /^\.old-[0-9a-f]{8}$/);
    assert.equal(await Deno.readTextFile(keptFile!), before);
    assert.notEqual(await Deno.readTextFile(sealed.file), before);
    for (const each of [sealed.file, keptFile!]) {
      assert.equal((await Deno.stat(each)).mode! & 0o777, 0o600);
    }
    assert.equal((await filesIn(directory)).length, 2);
    await sealed.assertOpens();
  });
});

Deno.test("renewSecret() a second time keeps both older secrets", async () => {
  await withSealedDatabase(async (sealed, directory) => {
    const first = await Deno.readTextFile(sealed.file);
    const { keptFile: one } = await sealed.renew();
    const second = await Deno.readTextFile(sealed.file);
    const { keptFile: two } = await sealed.renew();
    assert.equal(await Deno.readTextFile(one!), first);
    assert.equal(await Deno.readTextFile(two!), second);
    assert.equal((await filesIn(directory)).length, 3);
    await sealed.assertOpens();
  });
});

Deno.test("renewSecret() keeps the secret that opens a copy of the database made before", async () => {
  await withSealedDatabase(async (sealed) => {
    const copy = openStorage();
    const [record, snapshot] = [await sealed.record(), await sealed.storage.readKeys()];
    await copy.createKeyEncryption(record);
    await copy.changeKeys(await copy.readKeys(), { put: snapshot.records, remove: [] });
    const { keptFile } = await sealed.renew();
    await sealed.renew();
    const { secret, encryption } = await sealed.unlock(record);
    assert.equal(secret.file, keptFile);
    await assertHolds(copy, encryption);
    await copy.close();
  });
});

Deno.test("renewSecret() of two processes at once leaves one's secret, and refuses the other", async () => {
  await withSealedDatabase(async (sealed, directory) => {
    const both = Promise.withResolvers<void>();
    let arrived = 0;
    const storage = wrapStorage(sealed.storage, (own) => ({
      async rekey(...change) {
        if (++arrived === 2) both.resolve();
        await both.promise;
        return await own.rekey(...change);
      },
    }));
    const outcomes = await Promise.allSettled([
      sealed.renew({ storage }),
      sealed.renew({ storage }),
    ]);
    const refusals = outcomes.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
    assert.equal(refusals.length, 1);
    assert.ok(isDomainError(refusals[0], "conflict"), Deno.inspect(refusals[0]));
    const { keptFile } = outcomes.flatMap((one) =>
      one.status === "fulfilled" ? [one.value] : []
    )[0]!;
    assert.deepEqual([`${directory}/db.key`, keptFile], await pathsIn(directory));
    await sealed.assertOpens();
  });
});

Deno.test("renewSecret() refuses with a conflict when another was done since it began, and changes nothing", async () => {
  await withSealedDatabase(async (sealed, directory) => {
    const parts = await sealed.parts();
    await sealed.renew();
    const [files, keys] = [await contentsOf(directory), await sealed.storage.readKeys()];
    const error = await failureOf(() => renewSecret(parts, sealed.file));
    assert.deepEqual(await contentsOf(directory), files);
    assert.deepEqual(await sealed.storage.readKeys(), keys);
    assert.ok(isDomainError(error, "conflict"), Deno.inspect(error));
  });
});

Deno.test("renewSecret() refuses when the old secret's name is taken by another, and changes nothing", async () => {
  await withSealedDatabase(async (sealed, directory) => {
    await Deno.writeTextFile(keptFileOf(sealed.file, await sealed.record()), NEW_SECRET);
    const [files, keys] = [await contentsOf(directory), await sealed.storage.readKeys()];
    const { message } = await assertRefused(() => sealed.renew(), NEW_SECRET);
    assert.match(message, /\.old-[0-9a-f]{8} holds another one/);
    assert.deepEqual(await contentsOf(directory), files);
    assert.deepEqual(await sealed.storage.readKeys(), keys);
  });
});

Deno.test("renewSecret() keeps what stands in the file when the secret was given otherwise", async () => {
  await withSealedDatabase(async (sealed) => {
    const other = "what somebody wrote there, for whatever use\n";
    await Deno.writeTextFile(sealed.file, other);
    const { keptFile } = await sealed.renew();
    assert.equal(await Deno.readTextFile(keptFile!), other);
    const value = (await Deno.readTextFile(sealed.file)).trimEnd();
    await assertHolds(sealed.storage, await KeyEncryption.unlock(value, await sealed.record()));
  }, { secret: SECRET });
});

Deno.test("renewSecret() of an older database that was restored keeps the newer one's secret, too", async () => {
  await withSealedDatabase(async (sealed) => {
    const [older, rows] = [await sealed.record(), (await sealed.storage.readKeys()).records];
    await sealed.renew();
    const newer = await sealed.record();
    const value = (await Deno.readTextFile(sealed.file)).trimEnd();
    assert.ok(await sealed.storage.rekey(await sealed.storage.readKeys(), rows, older)); // restored

    await sealed.renew();
    await sealed.assertOpens();
    for (const record of [older, newer]) await sealed.unlock(record);
    assert.equal((await sealed.unlock(newer)).secret.value, value);
  });
});

Deno.test("renewSecret() keeps a secret where it is found, also when others were given in between", async () => {
  await withSealedDatabase(async (sealed) => {
    const older = await sealed.record();
    await sealed.change(NEW_SECRET);
    sealed.source.secret = NEW_SECRET; // from now on it is given in the environment
    await sealed.renew();
    sealed.source.secret = undefined;
    await sealed.assertOpens();
    await sealed.unlock(older);
  });
});

Deno.test("renewSecret() keeps nothing when there was no file", async () => {
  await withSealedDatabase(async (sealed, directory) => {
    const { file, keptFile } = await sealed.renew();
    assert.equal(keptFile, undefined);
    assert.deepEqual(await pathsIn(directory), [file]);
  }, { secret: SECRET });
});

Deno.test("renewSecret() leaves the new secret pending, and says so, when its file cannot be replaced", async () => {
  await withSealedDatabase(async (sealed) => {
    const before = await Deno.readTextFile(sealed.file);
    const disk = { ...DISK, rename: () => Promise.reject(new Error("busy")) };
    const { file } = await sealed.renew({ disk });
    assert.match(file!, /\.[0-9a-f]{16}\.new$/);
    assert.equal(await Deno.readTextFile(sealed.file), before);
    assert.ok(sealed.lines.some((line) => line.includes(file!) && line.includes("keep both")));
    await sealed.assertOpens();
  });
});

Deno.test("renewSecret() says how it is done where no file can be made, and changes nothing", async () => {
  for (const secret of [undefined, SECRET]) { // the old one is kept, and the new one waits
    await withSealedDatabase(async (sealed, directory) => {
      const files = await contentsOf(directory);
      const disk = { ...DISK, write: () => Promise.reject(new Error("read-only file system")) };
      const error = await failureOf(() => sealed.renew({ disk }));
      assert.ok(isDomainError(error, "secret_unusable"), String(error));
      assert.match(error.message, /^The secret file .* cannot be written$/);
      assert.match(error.hints[0]!, /jwks-server rekey --secret-file .*NEW_NOT_MY_KEY/);
      assert.deepEqual(await contentsOf(directory), files);
    }, secret === undefined ? {} : { secret });
  }
});

Deno.test("changeSecret() seals every key under the given secret, and leaves the file alone", async () => {
  await withSealedDatabase(async (sealed, directory) => {
    const [files, old] = [await contentsOf(directory), await sealed.parts()];
    assert.deepEqual(await sealed.change(NEW_SECRET), { count: 3 });
    const record = await sealed.record();
    await assertHolds(sealed.storage, await KeyEncryption.unlock(NEW_SECRET, record));
    assert.deepEqual(await contentsOf(directory), files);
    await assertRefused(() => sealed.unlock());
    const late = await failureOf(async () =>
      resealKeys(sealed.storage, old.encryption, await KeyEncryption.create(SECRET, CHEAP))
    );
    assert.ok(isDomainError(late, "conflict"));
    assert.deepEqual(await sealed.record(), record);
  });
});

async function pathsIn(directory: string): Promise<string[]> {
  return (await filesIn(directory)).map((name) => `${directory}/${name}`);
}
