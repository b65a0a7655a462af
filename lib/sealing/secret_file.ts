/** Files that hold a secret, and the names that they have while a secret is being changed. */

import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { decodeUtf8 } from "../base/bytes.ts";
import { type Disk, irregularity, readFileAtMost } from "../base/disk.ts";
import { DomainError } from "../base/errors.ts";
import type { KeyEncryptionRecord } from "../storage/storage.ts";

/** The shortest secret, in bytes. */
const SHORTEST = 16;

/** How many kept secrets are tried: each costs a derivation. */
const MOST_KEPT = 16;

/** The longest file that is read as a secret, in bytes. */
const LONGEST_FILE = 65_536;

/** The file in which a generated secret is kept. */
export function secretFileOf(database: string): string {
  return `${database}.key`;
}

/**
 * The file in which a new secret waits until the database is sealed under it. It is named after the
 * check value of its key, so that of several changes at once each finds its own.
 */
export function pendingFileOf(file: string, record: KeyEncryptionRecord): string {
  return `${file}.${digestOf(record).slice(0, 16)}.new`;
}

/**
 * The file in which a secret is kept that another has replaced: backups made under it need it. Its
 * name tells which backups: those with the check value of that record.
 */
export function keptFileOf(file: string, record: KeyEncryptionRecord): string {
  return `${file}.old-${digestOf(record).slice(0, 8)}`;
}

/** Names of files of that kind, whatever record they are named after: some of them, if many. */
export async function keptFilesOf(file: string): Promise<string[]> {
  const start = `${basename(file)}.old-`;
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(dirname(file))) {
      const isKept = name.startsWith(start) && /^[0-9a-f]{8}$/.test(name.slice(start.length));
      if (isKept) names.push(name);
    }
  } catch {
    return []; // who may not list the directory has kept nothing there
  }
  return names.sort().slice(0, MOST_KEPT).map((name) => join(dirname(file), name));
}

function digestOf({ check }: KeyEncryptionRecord): string {
  return createHash("sha256").update(check).digest("hex");
}

/** Whether a secret has the least length. */
export function isLongEnough(secret: string): boolean {
  return new TextEncoder().encode(secret).length >= SHORTEST;
}

/**
 * The secret in `file`, or `undefined` when there is no such file.
 *
 * @throws {DomainError} `secret_unusable` when it is no regular file, cannot be read, is not UTF-8,
 * or is too short or too long.
 */
export async function readSecretFile(file: string): Promise<string | undefined> {
  const text = await readText(file);
  if (text === undefined) return undefined;
  const value = text.replace(/\r?\n$/, "");
  if (isLongEnough(value)) return value;
  throw unusable(
    `The secret in ${file} is shorter than ${SHORTEST} bytes`,
    "put the whole secret into the file, on one line",
  );
}

async function readText(file: string): Promise<string | undefined> {
  try {
    const kind = irregularity(file);
    if (kind !== undefined) {
      throw unusable(`The secret file ${file} is ${kind}`, "name a file that holds the secret");
    }
    const bytes = await readFileAtMost(LONGEST_FILE, file);
    if (bytes !== undefined) return decodeUtf8(bytes);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof DomainError) throw error;
    throw unusable(
      `The secret file ${file} cannot be read as text`,
      "it must be UTF-8 text that this user may read, such as: openssl rand -base64 32",
      error,
    );
  }
  throw unusable(
    `The secret file ${file} has more than ${LONGEST_FILE} bytes`,
    "name a file that holds the secret and nothing else",
  );
}

/** What is asked of a file to know who may use it. */
export type FileAccess = Pick<Deno.FileInfo, "mode" | "uid">;

/** Whether others than its owner may read, write or execute a file. */
export function isOpenToOthers({ mode }: FileAccess): boolean {
  return ((mode ?? 0) & 0o077) !== 0;
}

/**
 * Whether somebody may read or change a secret who need not. A group may read it, and no more, when
 * root owns the file and the process is another user, `uid`: then it is only through the group that
 * the process can read it, nobody but root can change that, and root has chosen the group. So do
 * Kubernetes (`fsGroup`, 0440) and systemd (`LoadCredential=`, whose access list shows as the
 * group's bits) hand over secrets. A file of the process itself needs no group, and a file of
 * another user can be changed by that one.
 */
export function isExposed(file: FileAccess, uid: number | null = Deno.uid()): boolean {
  const isHandedOver = file.uid === 0 && uid !== null && uid !== 0;
  const isReadByGroup = ((file.mode ?? 0) & 0o037) === 0;
  return isOpenToOthers(file) && !(isHandedOver && isReadByGroup);
}

/** What else to do where a first secret can be put into no file. */
const INSTEAD = ["make its directory writable, or set NOT_MY_KEY"];

/**
 * Writes a secret into a file that must not exist yet, so that it is whole and on the disk as soon
 * as the file is there.
 *
 * @param hints what to do when it cannot be written.
 * @throws {Deno.errors.AlreadyExists} when there is such a file.
 * @throws {DomainError} `secret_unusable` when it cannot be written.
 */
export async function createSecretFile(
  disk: Disk,
  file: string,
  value: string,
  hints: readonly string[] = INSTEAD,
): Promise<void> {
  const draft = `${file}.${crypto.randomUUID()}`;
  try {
    await disk.write(draft, `${value}\n`);
    await disk.link(draft, file); // unlike a rename it replaces nothing
    await disk.sync(file);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    const message = `The secret file ${file} cannot be written`;
    throw new DomainError("secret_unusable", message, { hints, cause: error });
  } finally {
    await disk.remove(draft).catch(() => {}); // it never came to be
  }
}

/** What a secret file that cannot be used is answered with. */
function unusable(message: string, hint: string, cause?: unknown): DomainError {
  return new DomainError("secret_unusable", message, { hints: [hint], cause });
}
