import assert from "node:assert/strict";
import { obtainSecrets, type SecretSource, settleSecret } from "../../lib/sealing/secret.ts";
import { keptFileOf, pendingFileOf, secretFileOf } from "../../lib/sealing/secret_file.ts";
import { recordingLog, SECRET, withTempDir } from "../support.ts";
import { assertRefused, filesIn, sourceIn } from "./secret_files.ts";

/** What an existing database keeps of its secret. */
const KNOWN = { derivation: new Uint8Array(1), check: new Uint8Array([1, 2, 3]) };

async function obtainOne(source: SecretSource, isNewDatabase: boolean) {
  const [secret, ...others] = await obtainSecrets(source, isNewDatabase ? undefined : KNOWN);
  assert.deepEqual(others, []);
  return secret;
}

Deno.test("obtainSecrets() takes the given secret and leaves the disk alone", async () => {
  await withTempDir(async (directory) => {
    const source = sourceIn(directory, { secret: SECRET });
    assert.deepEqual(await obtainOne(source, true), { value: SECRET });
    assert.deepEqual(await obtainOne(source, false), { value: SECRET });
    assert.deepEqual(await filesIn(directory), []);
  });
});

Deno.test("obtainSecrets() makes a secret for a new database, mode 0600, and finds it again", async () => {
  await withTempDir(async (directory) => {
    const source = sourceIn(directory);
    const file = secretFileOf(source.database);
    const made = await obtainOne(source, true);
    assert.equal(made.file, file);
    assert.equal(made.isNew, true);
    assert.match(made.value, /^[A-Za-z0-9_-]{43}$/);
    assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    assert.equal(await Deno.readTextFile(file), `${made.value}\n`);
    assert.deepEqual(await obtainOne(source, false), { value: made.value, file });
    assert.deepEqual(await filesIn(directory), ["db.key"]);
  });
});

Deno.test("obtainSecrets() makes another secret for another database", async () => {
  await withTempDir(async (directory) => {
    const one = await obtainOne(sourceIn(directory), true);
    const other = await obtainOne(sourceIn(directory, { database: `${directory}/other` }), true);
    assert.notEqual(one.value, other.value);
  });
});

Deno.test("obtainSecrets() gives everybody one secret when several ask at once", async () => {
  await withTempDir(async (directory) => {
    const all = await Promise.all(
      Array.from({ length: 8 }, () => obtainOne(sourceIn(directory), true)),
    );
    assert.equal(new Set(all.map((secret) => secret.value)).size, 1);
    assert.equal(all.filter((secret) => secret.isNew === true).length, 1);
    assert.deepEqual(await filesIn(directory), ["db.key"]);
  });
});

Deno.test("obtainSecrets() makes no secret for a database that has one already", async () => {
  await withTempDir(async (directory) => {
    const error = await assertRefused(() => obtainOne(sourceIn(directory), false));
    assert.match(error.hints.join(), /NOT_MY_KEY/);
    assert.deepEqual(await filesIn(directory), []);
  });
});

Deno.test("obtainSecrets() reads the named file without its line end", async () => {
  await withTempDir(async (directory) => {
    const secretFile = `${directory}/secret`;
    for (const end of ["", "\n", "\r\n"]) {
      await Deno.writeTextFile(secretFile, SECRET + end);
      const { value } = await obtainOne(sourceIn(directory, { secretFile }), true);
      assert.equal(value, SECRET);
    }
  });
});

Deno.test("obtainSecrets() keeps every other white space of the named file", async () => {
  await withTempDir(async (directory) => {
    const secretFile = `${directory}/secret`;
    await Deno.writeTextFile(secretFile, ` ${SECRET}\n\n`);
    const { value } = await obtainOne(sourceIn(directory, { secretFile }), true);
    assert.equal(value, ` ${SECRET}\n`);
  });
});

Deno.test("obtainSecrets() gives the secret in use before the pending and the kept one", async () => {
  await withTempDir(async (directory) => {
    const source = sourceIn(directory);
    const file = secretFileOf(source.database);
    await Deno.writeTextFile(file, `${SECRET}\n`);
    const pendingFile = pendingFileOf(file, KNOWN);
    await Deno.writeTextFile(pendingFile, `the next ${SECRET}\n`);
    const keptFile = keptFileOf(file, KNOWN);
    await Deno.writeTextFile(keptFile, `the old ${SECRET}\n`);
    assert.deepEqual(await obtainSecrets(source, KNOWN), [
      { value: SECRET, file },
      { value: `the next ${SECRET}`, file: pendingFile, awaits: file },
      { value: `the old ${SECRET}`, file: keptFile },
    ]);
    const another = { ...KNOWN, check: new Uint8Array([4]) }; // sealed under yet another secret
    assert.deepEqual(await obtainSecrets(source, another), [
      { value: SECRET, file },
      { value: `the old ${SECRET}`, file: keptFile }, // it may be that, whatever it is named after
    ]);
  });
});

Deno.test("settleSecret() puts the pending secret in its place, also when another process just did", async () => {
  await withTempDir(async (directory) => {
    const { log, lines } = recordingLog();
    const file = `${directory}/db.key`;
    const pending = { value: SECRET, file: `${file}.x.new`, awaits: file };
    await Deno.writeTextFile(pending.file, SECRET);
    for (let process = 0; process < 2; process++) {
      assert.deepEqual(await settleSecret(pending, log), { value: SECRET, file });
    }
    assert.equal(await Deno.readTextFile(file), SECRET);
    assert.deepEqual(await filesIn(directory), ["db.key"]);
    assert.deepEqual(lines, []);
  });
});

Deno.test("settleSecret() leaves the pending secret and says so when its file cannot be replaced", async () => {
  await withTempDir(async (directory) => {
    const { log, lines } = recordingLog();
    await Deno.mkdir(`${directory}/db.key`); // nothing renames a file onto a directory
    await Deno.writeTextFile(`${directory}/pending`, SECRET);
    const pending = { value: SECRET, file: `${directory}/pending`, awaits: `${directory}/db.key` };
    assert.deepEqual(await settleSecret(pending, log), pending);
    assert.equal(await Deno.readTextFile(`${directory}/pending`), SECRET);
    assert.equal(lines.length, 1);
    assert.ok(lines[0]!.includes(`${directory}/pending`) && !lines[0]!.includes(SECRET));
  });
});

Deno.test("obtainSecrets() refuses a named file that is missing, and makes none in its place", async () => {
  await withTempDir(async (directory) => {
    const secretFile = `${directory}/missing`;
    const error = await assertRefused(() => obtainOne(sourceIn(directory, { secretFile }), true));
    assert.ok(error.message.includes(secretFile));
    assert.deepEqual(await filesIn(directory), []);
  });
});

Deno.test("obtainSecrets() refuses a file that is empty or too short, and leaves it as it is", async () => {
  await withTempDir(async (directory) => {
    const source = sourceIn(directory);
    for (const text of ["", "\n", "fifteen bytes!!\n"]) {
      await Deno.writeTextFile(secretFileOf(source.database), text);
      await assertRefused(() => obtainOne(source, true), "fifteen");
      assert.equal(await Deno.readTextFile(secretFileOf(source.database)), text);
    }
    await Deno.writeTextFile(secretFileOf(source.database), "sixteen bytes!!!\n");
    assert.equal((await obtainOne(source, true)).value, "sixteen bytes!!!");
  });
});

Deno.test("obtainSecrets() refuses a file that is no text, which decoding would weaken", async () => {
  await withTempDir(async (directory) => {
    const secretFile = `${directory}/secret`;
    await Deno.writeFile(secretFile, new Uint8Array(32).fill(0xff));
    await assertRefused(() => obtainOne(sourceIn(directory, { secretFile }), true));
  });
});

Deno.test("obtainSecrets() refuses a directory in the place of the file", async () => {
  await withTempDir(async (directory) => {
    const source = sourceIn(directory, { secretFile: directory });
    const error = await assertRefused(() => obtainOne(source, true));
    assert.match(error.message, /is a directory/);
  });
});

Deno.test("obtainSecrets() refuses a link that leads nowhere, and makes nothing in its place", async () => {
  await withTempDir(async (directory) => {
    const source = sourceIn(directory);
    await Deno.symlink(`${directory}/missing`, secretFileOf(source.database));
    const error = await assertRefused(() => obtainOne(source, true));
    assert.match(error.message, /leads nowhere/);
    assert.deepEqual(await filesIn(directory), ["db.key"]);
  });
});

Deno.test("obtainSecrets() tells what to do when the secret cannot be written", async () => {
  await withTempDir(async (directory) => {
    const source = sourceIn(directory, { database: `${directory}/missing/db` });
    const error = await assertRefused(() => obtainOne(source, true));
    assert.match(error.hints.join(), /NOT_MY_KEY/);
    assert.deepEqual(await filesIn(directory), []);
  });
});
