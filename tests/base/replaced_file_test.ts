import assert from "node:assert/strict";
import { DISK } from "../../lib/base/disk.ts";
import {
  ensureDirectory,
  isBlocked,
  obstacleAt,
  replaceFile,
} from "../../lib/base/replaced_file.ts";
import { stoppingDisk } from "../sealing/sealed_database.ts";
import { failureOf, withTempDir } from "../support.ts";
import { makeFifo } from "./fifo.ts";

const OLD = '{"keys":["old"]}';
const NEW = '{"keys":["new one"]}';

async function namesIn(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
}

Deno.test("replaceFile() leaves the old text or the new one, whole, wherever its process is stopped", async () => {
  for (const moment of ["before", "after"] as const) {
    for (let step = 1;; step++) {
      let isOver = false;
      await withTempDir(async (directory) => {
        const file = `${directory}/jwks.json`;
        await Deno.writeTextFile(file, OLD);
        const { disk, stopped } = stoppingDisk(step, moment);
        const replaced = replaceFile(disk, file, NEW).then(() => "over" as const);
        isOver = await Promise.race([stopped, replaced]) === "over";
        const isNew = isOver || step > 2 || (step === 2 && moment === "after");
        assert.equal(await Deno.readTextFile(file), isNew ? NEW : OLD, `${moment} step ${step}`);
      });
      if (isOver) break;
      assert.ok(step < 10, "it never ends");
    }
  }
});

Deno.test("replaceFile() waits for the text before it takes the name, and for the name before it is done", async () => {
  await withTempDir(async (directory) => {
    const order: string[] = [];
    const disk = {
      ...DISK,
      write: (...args: Parameters<typeof DISK.write>) => (order.push("write"), DISK.write(...args)),
      rename: (file: string, name: string) => (order.push("rename"), DISK.rename(file, name)),
      sync: (file: string) => (order.push(`sync ${file}`), DISK.sync(file)),
    };
    await replaceFile(disk, `${directory}/a`, NEW);
    assert.deepEqual(order, ["write", "rename", `sync ${directory}/a`]);
  });
});

Deno.test("replaceFile() makes a file that everybody may read, whatever the umask, and leaves no draft", async () => {
  await withTempDir(async (directory) => {
    const before = Deno.umask(0o077);
    try {
      assert.equal(await replaceFile(DISK, `${directory}/a`, OLD), true);
      assert.equal(await replaceFile(DISK, `${directory}/a`, NEW), true);
    } finally {
      Deno.umask(before);
    }
    assert.equal((await Deno.stat(`${directory}/a`)).mode! & 0o777, 0o644);
    assert.equal(await Deno.readTextFile(`${directory}/a`), NEW);
    const failing = { ...DISK, rename: () => Promise.reject(new Error("busy")) };
    await failureOf(() => replaceFile(failing, `${directory}/a`, OLD));
    assert.deepEqual(await namesIn(directory), ["a"]);
    assert.equal(await Deno.readTextFile(`${directory}/a`), NEW);
  });
});

Deno.test("replaceFile() leaves a file alone that holds the same, with its time", async () => {
  await withTempDir(async (directory) => {
    const file = `${directory}/a`;
    await Deno.writeTextFile(file, NEW);
    const long = new Date("2020-01-01T00:00:00Z");
    await Deno.utime(file, long, long);
    const inode = (await Deno.stat(file)).ino;
    assert.equal(await replaceFile(DISK, file, NEW), false);
    const { mtime, ino } = await Deno.stat(file);
    assert.deepEqual([mtime, ino], [long, inode]);
    const sameLength = NEW.replace("new", "neu");
    assert.equal(await replaceFile(DISK, file, sameLength), true);
    assert.equal(await Deno.readTextFile(file), sameLength);
  });
});

Deno.test("ensureDirectory() makes what is missing, open to everybody, and leaves the rest as it is", async () => {
  await withTempDir(async (directory) => {
    const before = Deno.umask(0o077);
    try {
      await Deno.mkdir(`${directory}/own`);
      await ensureDirectory(DISK, `${directory}/own/a/b`);
      await ensureDirectory(DISK, `${directory}/own/a/b`);
    } finally {
      Deno.umask(before);
    }
    const modes = ["own", "own/a", "own/a/b"].map((name) =>
      Deno.statSync(`${directory}/${name}`).mode! & 0o777
    );
    assert.deepEqual(modes, [0o700, 0o755, 0o755]);
  });
});

Deno.test("obstacleAt() and isBlocked() tell what stands in the way, and follow links to directories alone", async () => {
  await withTempDir(async (directory) => {
    const at = (name: string) => `${directory}/${name}`;
    await Deno.writeTextFile(at("file"), OLD);
    await Deno.mkdir(at("directory"));
    await makeFifo(at("fifo"));
    await Deno.symlink("file", at("link"));
    await Deno.symlink("nowhere", at("dangling"));
    await Deno.symlink("directory", at("linked-directory"));
    const found = ["none", "file", "directory", "fifo", "link", "dangling", "linked-directory"]
      .map((name) => [name, obstacleAt(at(name)), isBlocked(at(name))]);
    assert.deepEqual(found, [
      ["none", undefined, false],
      ["file", undefined, true],
      ["directory", "a directory", false],
      ["fifo", "a FIFO", true],
      ["link", "a link", true],
      ["dangling", "a link", true],
      ["linked-directory", "a link", false],
    ]);
  });
});
