/** Files that others read while they are written anew: each is the old one or the new one, whole. */

import { basename, dirname, join } from "node:path";
import { type Disk, type Irregular, irregularity, setDirectoryMode } from "./disk.ts";

/** Everybody may read such a file, and look into a directory that is made for it. */
const FILE_MODE = 0o644;
const DIRECTORY_MODE = 0o755;

/** What stands at `path` in the place of a regular file, in words; links are not followed. */
export function obstacleAt(path: string): "a link" | Irregular | undefined {
  return statOf(path)?.isSymlink ? "a link" : irregularity(path);
}

/** Whether something else than a directory stands at `path`; links are followed. */
export function isBlocked(path: string): boolean {
  return statOf(path) !== undefined && irregularity(path) !== "a directory";
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Makes a directory that is not there yet, and what it lies in. @throws when it cannot be made. */
export async function ensureDirectory(disk: Disk, path: string): Promise<void> {
  if (statOf(path) !== undefined) return;
  await ensureDirectory(disk, dirname(path));
  try {
    await Deno.mkdir(path);
    await setDirectoryMode(path, DIRECTORY_MODE);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error; // else another was faster
  }
  await disk.sync(path);
}

/**
 * Puts `text` into the place of what stands in `file`; one that holds just that is left alone, with
 * the time of its last change.
 *
 * @returns whether it was written.
 * @throws when it cannot be; the old one is there then.
 */
export async function replaceFile(disk: Disk, file: string, text: string): Promise<boolean> {
  if (await holds(file, text)) return false;
  const draft = join(dirname(file), `.${basename(file)}.${crypto.randomUUID()}`);
  try {
    await disk.write(draft, text, FILE_MODE);
    await disk.rename(draft, file);
    await disk.sync(file);
  } finally {
    await disk.remove(draft).catch(() => {}); // it has another name by now, or never came to be
  }
  return true;
}

async function holds(file: string, text: string): Promise<boolean> {
  const bytes = new TextEncoder().encode(text);
  const size = statOf(file)?.size;
  return size === bytes.length && await Deno.readTextFile(file) === text;
}
