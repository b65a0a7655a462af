import assert from "node:assert/strict";
import { DISK, diskFault, irregularity, readFileAtMost } from "../../lib/base/disk.ts";
import { ensureDirectory } from "../../lib/base/replaced_file.ts";
import { failureOf, withTempDir } from "../support.ts";
import { failDisk } from "./disk_error.ts";
import { makeFifo } from "./fifo.ts";

/** The names in a directory, in order. */
async function namesIn(directory: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
  return names.toSorted();
}

Deno.test("irregularity() names what a path leads to that is no regular file, without opening it", async () => {
  await withTempDir(async (directory) => {
    const at = (name: string) => `${directory}/${name}`;
    await Deno.writeTextFile(at("file"), "text");
    await Deno.symlink(at("file"), at("link"));
    await Deno.symlink(directory, at("link to a directory"));
    await Deno.symlink(at("missing"), at("dangling"));
    await makeFifo(at("fifo")); // opening it would wait for a writer for ever
    using _socket = Deno.listen({ transport: "unix", path: at("socket") });
    assert.equal(irregularity(at("file")), undefined);
    assert.equal(irregularity(at("link")), undefined);
    assert.equal(irregularity(at("missing")), undefined);
    assert.equal(irregularity(at("dangling")), undefined);
    assert.equal(irregularity(directory), "a directory");
    assert.equal(irregularity(at("link to a directory")), "a directory");
    assert.equal(irregularity(at("fifo")), "a FIFO");
    assert.equal(irregularity(at("socket")), "a socket");
    assert.equal(irregularity("/dev/null"), "a device");
    assert.throws(() => irregularity(at("file/below")), Deno.errors.NotADirectory);
  });
});

Deno.test("readFileAtMost() reads a file up to the limit, and nothing of a longer one", async () => {
  await withTempDir(async (directory) => {
    const file = `${directory}/file`;
    await Deno.writeTextFile(file, "0123456789");
    assert.equal(new TextDecoder().decode(await readFileAtMost(10, file)), "0123456789");
    assert.equal(await readFileAtMost(9, file), undefined);
    await assert.rejects(readFileAtMost(9, `${directory}/missing`), Deno.errors.NotFound);
  });
});

Deno.test("readFileAtMost() ends on a file without an end", async () => {
  assert.equal(await readFileAtMost(100_000, "/dev/zero"), undefined);
});

Deno.test("DISK.write() makes a file that only its owner can read, whatever the umask", async () => {
  await withTempDir(async (directory) => {
    const before = Deno.umask(0);
    try {
      await DISK.write(`${directory}/file`, "text");
    } finally {
      Deno.umask(before);
    }
    assert.equal(await Deno.readTextFile(`${directory}/file`), "text");
    assert.equal((await Deno.stat(`${directory}/file`)).mode! & 0o777, 0o600);
  });
});

Deno.test("no mode is set of what a link leads to that takes the place of what was made", async () => {
  await withTempDir(async (directory) => {
    const at = (name: string) => `${directory}/${name}`;
    await Deno.writeTextFile(at("secret"), "secret", { mode: 0o600 });
    await Deno.mkdir(at("private"), { mode: 0o700 });
    const { writeTextFile, mkdir } = Deno;
    try {
      Deno.writeTextFile = async (file, ...others) => {
        await writeTextFile(file, ...others);
        await Deno.remove(file);
        await Deno.symlink(at("secret"), file);
      };
      Deno.mkdir = async (path) => await Deno.symlink(at("private"), path);
      await failureOf(() => DISK.write(at("file"), "text", 0o644));
      await failureOf(() => ensureDirectory(DISK, at("made")));
    } finally {
      Object.assign(Deno, { writeTextFile, mkdir });
    }
    assert.equal((await Deno.stat(at("secret"))).mode! & 0o777, 0o600);
    assert.equal((await Deno.stat(at("private"))).mode! & 0o777, 0o700);
  });
});

Deno.test("DISK.write() and DISK.link() replace nothing that is there", async () => {
  await withTempDir(async (directory) => {
    const at = (name: string) => `${directory}/${name}`;
    await Deno.writeTextFile(at("old"), "old");
    await Deno.symlink(at("missing"), at("dangling"));
    for (const name of ["old", "dangling"]) {
      const written = await failureOf(() => DISK.write(at(name), "new"), name);
      assert.ok(written instanceof Deno.errors.AlreadyExists, String(written));
      await DISK.write(at("new"), "new");
      const linked = await failureOf(() => DISK.link(at("new"), at(name)), name);
      assert.ok(linked instanceof Deno.errors.AlreadyExists, String(linked));
      await DISK.remove(at("new"));
    }
    assert.equal(await Deno.readTextFile(at("old")), "old");
    assert.deepEqual(await namesIn(directory), ["dangling", "old"]);
  });
});

Deno.test("DISK.link() gives a second name, and DISK.rename() takes the place of what had the name", async () => {
  await withTempDir(async (directory) => {
    const at = (name: string) => `${directory}/${name}`;
    await DISK.write(at("a"), "a");
    await DISK.link(at("a"), at("b"));
    assert.deepEqual(await namesIn(directory), ["a", "b"]);
    await DISK.write(at("c"), "c");
    await DISK.rename(at("c"), at("a"));
    await DISK.sync(at("a"));
    assert.deepEqual(await namesIn(directory), ["a", "b"]);
    assert.equal(await Deno.readTextFile(at("a")), "c");
    assert.equal(await Deno.readTextFile(at("b")), "a", "the other name keeps its file");
  });
});

Deno.test("DISK.sync() passes over a directory that cannot be opened", async () => {
  assert.equal(await DISK.sync("/nowhere/at/all"), undefined);
});

Deno.test("diskFault() finds nothing wrong with a disk that can be written, and leaves nothing there", async () => {
  await withTempDir(async (directory) => {
    assert.equal(diskFault(`${directory}/db`), undefined);
    assert.deepEqual(await namesIn(directory), []);
    assert.equal(diskFault(`${directory}/missing/db`), undefined, "that is not the disk's fault");
  });
});

Deno.test("diskFault() tells a disk that is read-only or full from a place where nothing may be written", () => {
  const faults = { EROFS: "read-only", ENOSPC: "full", EDQUOT: "full", EACCES: undefined };
  for (const [code, fault] of Object.entries(faults)) {
    using _disk = failDisk(code);
    assert.equal(diskFault("/tmp/db"), fault, code);
  }
});
