import assert from "node:assert/strict";
import { warnOfSecretFile } from "../../lib/sealing/secret.ts";
import { isExposed, keptFileOf, readSecretFile } from "../../lib/sealing/secret_file.ts";
import { recordingLog, SECRET, withTempDir } from "../support.ts";
import { assertRefused, sourceIn } from "./secret_files.ts";

const LONGEST = 65_536;

/** A FIFO at `path`, which nobody writes to: opening it would wait for ever. */
async function makeFifo(path: string): Promise<void> {
  assert.ok((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
}

Deno.test("readSecretFile() gives nothing when there is no file", async () => {
  await withTempDir(async (directory) => {
    assert.equal(await readSecretFile(`${directory}/missing`), undefined);
  });
});

Deno.test("readSecretFile() refuses what is no regular file by its kind, and reads nothing of it", async () => {
  await withTempDir(async (directory) => {
    const fifo = `${directory}/fifo`;
    const link = `${directory}/link`;
    await makeFifo(fifo);
    await Deno.symlink("/dev/zero", link);
    const cases = [
      [directory, /is a directory$/],
      [fifo, /is a FIFO$/],
      ["/dev/zero", /is a device$/],
      [link, /is a device$/],
    ] as const;
    for (const [file, words] of cases) {
      const { message } = await assertRefused(() => readSecretFile(file));
      assert.match(message, words);
      assert.ok(message.includes(file));
    }
  });
});

Deno.test("readSecretFile() reads a file of 64 KiB and refuses a longer one", async () => {
  await withTempDir(async (directory) => {
    const file = `${directory}/secret`;
    const longest = "s".repeat(LONGEST - 1);
    await Deno.writeTextFile(file, `${longest}\n`);
    assert.equal(await readSecretFile(file), longest);
    for (const length of [LONGEST + 1, 5 * LONGEST]) {
      await Deno.writeTextFile(file, "s".repeat(length));
      const { message } = await assertRefused(() => readSecretFile(file), "ssss");
      assert.match(message, /more than 65536 bytes/);
    }
  });
});

Deno.test("readSecretFile() refuses what is not UTF-8 and quotes nothing of it", async () => {
  await withTempDir(async (directory) => {
    const file = `${directory}/secret`;
    const bytes = new TextEncoder().encode(`${SECRET}?${SECRET}`);
    bytes[SECRET.length] = 0xff;
    await Deno.writeFile(file, bytes);
    const error = await assertRefused(() => readSecretFile(file));
    assert.match(error.message, /cannot be read as text/);
    assert.ok(!Deno.inspect(error.cause, { depth: 10 }).includes(SECRET));
  });
});

Deno.test("warnOfSecretFile() warns of a file that others than its owner may read", async () => {
  await withTempDir(async (directory) => {
    const file = `${directory}/db.key`;
    await Deno.writeTextFile(file, SECRET);
    for (const mode of [0o600, 0o400, 0o640, 0o604, 0o644, 0o620]) {
      await Deno.chmod(file, mode);
      const { log, lines } = recordingLog();
      await warnOfSecretFile({ value: SECRET, file }, sourceIn(directory), log);
      const isExposed = (mode & 0o077) !== 0;
      assert.equal(lines.length, isExposed ? 1 : 0, mode.toString(8));
      if (isExposed) assert.match(lines[0]!, /"level":"warn".*chmod 600.*db\.key/);
      assert.ok(!lines.join().includes(SECRET));
    }
  });
});

Deno.test("isExposed() lets a group read what root gave to another user, and nothing beyond", () => {
  const [ROOT, SERVER] = [0, 65532];
  const exposed = (mode: number, owner: number, uid: number) =>
    isExposed({ mode: 0o100000 | mode, uid: owner }, uid);
  assert.equal(exposed(0o440, ROOT, SERVER), false, "as Kubernetes and systemd mount it");
  assert.equal(exposed(0o640, ROOT, SERVER), false);
  for (const mode of [0o444, 0o404, 0o660, 0o460, 0o450, 0o441, 0o442]) {
    assert.equal(exposed(mode, ROOT, SERVER), true, mode.toString(8));
  }
  assert.equal(exposed(0o440, ROOT, ROOT), true, "its owner can read it without the group");
  assert.equal(exposed(0o440, SERVER, SERVER), true);
  assert.equal(exposed(0o440, 1000, SERVER), true, "somebody else's");
  assert.equal(exposed(0o400, ROOT, ROOT), false);
  assert.equal(isExposed({ mode: 0o440, uid: null }, null), true, "no owner is known");
  assert.equal(isExposed({ mode: null, uid: null }, null), false, "the system has no modes");
});

Deno.test("warnOfSecretFile() tells of a secret that was made, and of one that was kept", async () => {
  await withTempDir(async (directory) => {
    const source = sourceIn(directory);
    const usual = `${directory}/db.key`;
    const kept = keptFileOf(usual, { derivation: new Uint8Array(), check: new Uint8Array(1) });
    for (const file of [usual, kept]) await Deno.writeTextFile(file, SECRET, { mode: 0o600 });
    const linesFor = async (secret: { value: string; file?: string; isNew?: boolean }) => {
      const { log, lines } = recordingLog();
      await warnOfSecretFile(secret, source, log);
      return lines.map((line) => JSON.parse(line).message as string);
    };
    assert.deepEqual(await linesFor({ value: SECRET }), []);
    assert.deepEqual(await linesFor({ value: SECRET, file: usual }), []);
    assert.match(
      (await linesFor({ value: SECRET, file: usual, isNew: true })).join(),
      /back it up/,
    );
    assert.match((await linesFor({ value: SECRET, file: kept })).join(), /an older one/);
  });
});
