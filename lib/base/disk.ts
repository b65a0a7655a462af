/**
 * The few operations on files whose order decides what a crash leaves behind. They are passed in,
 * so that a test can stop between any two of them.
 */

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { readAtMost } from "./bytes.ts";
import type { StorageFault } from "./errors.ts";

export interface Disk {
  /**
   * Makes a file (mode 0600, if nothing else is said) that must not exist, and waits until its
   * content is on the disk.
   */
  write(file: string, text: string, mode?: number): Promise<void>;
  /** A second name for a file; never replaces one. */
  link(file: string, name: string): Promise<void>;
  /** Another name for a file, in the place of what had that name. */
  rename(file: string, name: string): Promise<void>;
  remove(file: string): Promise<void>;
  /** Waits until the names in the directory of `file` are on the disk. */
  sync(file: string): Promise<void>;
}

/** The real disk. */
export const DISK: Disk = {
  async write(file, text, mode = 0o600) {
    await Deno.writeTextFile(file, text, { createNew: true, mode: 0o600 });
    await withOpened(file, async (written) => {
      await written.chmod(mode); // whatever the umask
      await written.sync();
    });
  },
  link: Deno.link,
  rename: Deno.rename,
  remove: Deno.remove,
  async sync(file) {
    try {
      using directory = await Deno.open(dirname(file));
      await directory.sync();
    } catch {
      // Not every system opens directories; those that do not need no such thing.
    }
  },
};

/** Sets the mode of a directory, whatever the umask. @throws when that cannot be, as for a link. */
export async function setDirectoryMode(path: string, mode: number): Promise<void> {
  await withOpened(path, (directory) => directory.chmod(mode));
}

/** By its name, a link that somebody put there meanwhile would lead to a file of another's choice. */
async function withOpened(
  path: string,
  work: (opened: FileHandle) => Promise<void>,
): Promise<void> {
  const opened = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await work(opened);
  } finally {
    await opened.close();
  }
}

/** What a path leads to that is there and is no regular file, in words. */
export type Irregular = "a directory" | "a device" | "a FIFO" | "a socket" | "no regular file";

/** What `path` leads to unless that is a regular file, or nothing at all. */
export function irregularity(path: string): Irregular | undefined {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  if (info.isFile) return undefined;
  if (info.isDirectory) return "a directory";
  if (info.isCharDevice || info.isBlockDevice) return "a device";
  if (info.isFifo) return "a FIFO";
  return info.isSocket ? "a socket" : "no regular file";
}

/** The most links that one path is followed through, as on Linux. */
const MOST_LINKS = 40;

/** The directory in which the file at `path` is or would be made, wherever links lead. */
export function placeOf(path: string): string {
  let place = resolve(path);
  for (let links = 0; links < MOST_LINKS; links++) {
    const to = linkAt(place);
    if (to === undefined) break;
    place = resolve(dirname(place), to);
  }
  return dirname(place);
}

function linkAt(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined; // it is no link, or not there
  }
}

/** How much is written to see whether a disk has room, in bytes. */
const ROOM = 32_768;

/**
 * What is wrong with the disk under `path`, found by writing a file beside it; `undefined` when that
 * works, or does not for another reason than the disk.
 */
export function diskFault(path: string): StorageFault | undefined {
  let draft: string | undefined;
  try {
    draft = Deno.makeTempFileSync({ dir: dirname(path), prefix: ".jwks-server-" });
    Deno.writeFileSync(draft, new Uint8Array(ROOM));
    return undefined;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "EROFS") return "read-only";
    return code === "ENOSPC" || code === "EDQUOT" ? "full" : undefined;
  } finally {
    if (draft !== undefined) Deno.removeSync(draft);
  }
}

/** A file's bytes, or `undefined` when there are more than `limit`. @throws when it cannot be read. */
export async function readFileAtMost(limit: number, file: string): Promise<Uint8Array | undefined> {
  const { readable } = await Deno.open(file);
  return await readAtMost(limit, readable);
}
