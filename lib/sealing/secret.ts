/** Where the secret comes from that protects the private keys. */

import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { base64url } from "jose";
import { CommandError, EXIT } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { KeyEncryptionRecord } from "../storage/storage.ts";

const SHORTEST = 16;

/** The ways in which an operator gives the secret; at most one is set. */
export interface SecretSource {
  secret: string | undefined;
  secretFile: string | undefined;
  database: string;
}

/** A secret, and the file it stands in, if it stands in one. */
export interface Secret {
  value: string;
  file?: string;
  /** The file was made just now. */
  isNew?: boolean;
  /** The file in which it waits to take the place of what stands in `file`. */
  pendingFile?: string;
}

/** The file in which a generated secret is kept. */
export function secretFileOf(database: string): string {
  return `${database}.key`;
}

/**
 * The file in which a new secret waits until the database is sealed under it. It is named after the
 * check value of its key, so that of several changes at once each finds its own.
 */
export function pendingFileOf(file: string, { check }: KeyEncryptionRecord): string {
  return `${file}.${createHash("sha256").update(check).digest("hex").slice(0, 16)}.new`;
}

/**
 * Finds the secret: `NOT_MY_KEY`, the file it names, the file beside the database, or, when the
 * database is new, a generated one that is written to that file (mode 0600) before it is used.
 * Beside a file, a second secret may be pending; the first in the list that opens the database is
 * the right one.
 *
 * @param known what an existing database keeps of its secret; `undefined` for a new one.
 * @throws {CommandError} with exit code 78 when there is none, or its file cannot be used.
 */
export async function obtainSecrets(
  source: SecretSource,
  known: KeyEncryptionRecord | undefined,
): Promise<[Secret, ...Secret[]]> {
  if (source.secret !== undefined) return [{ value: source.secret }];
  const file = source.secretFile ?? secretFileOf(source.database);
  const [first, ...others] = await readSecrets(file, known);
  if (first !== undefined) return [first, ...others];
  if (source.secretFile !== undefined) {
    throw new CommandError(EXIT.config, `the secret file ${file} does not exist`, [
      "NOT_MY_KEY_FILE must name a file that holds the secret",
    ]);
  }
  if (known !== undefined) {
    throw new CommandError(
      EXIT.config,
      `the database ${source.database} exists, but there is no secret to open its keys with`,
      [`set NOT_MY_KEY or NOT_MY_KEY_FILE to the secret it was made with, or restore ${file}`],
    );
  }
  return [await createSecretFile(file)];
}

async function readSecrets(
  file: string,
  known: KeyEncryptionRecord | undefined,
): Promise<Secret[]> {
  const value = await readSecretFile(file);
  const first = value === undefined ? [] : [{ value, file }];
  if (known === undefined) return first;
  const pendingFile = pendingFileOf(file, known);
  const pending = await readSecretFile(pendingFile);
  return pending === undefined ? first : [...first, { value: pending, file, pendingFile }];
}

/**
 * Puts a secret that waited in `pendingFile` into `file`. A file that cannot be replaced (one that
 * is mounted into a container) keeps it waiting, and it is found there at the next start, too.
 */
export async function settleSecret(pendingFile: string, file: string, log: Log): Promise<void> {
  try {
    await Deno.rename(pendingFile, file);
    await syncDirectory(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return; // another process has put it there
    log.warn("the new secret stays where it is, because its file cannot be replaced: keep both", {
      new_secret: pendingFile,
      file,
    });
  }
}

/**
 * The secret in `file`, or `undefined` when there is no such file.
 *
 * @throws {CommandError} with exit code 78 when it cannot be read or is too short.
 */
export async function readSecretFile(file: string): Promise<string | undefined> {
  let text: string;
  try {
    // Fatal: replacement characters would stand for many different secrets.
    text = new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(file));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new CommandError(EXIT.config, `the secret file ${file} cannot be read as text`, [
      "it must be UTF-8 text that this user may read, such as: openssl rand -base64 32",
    ], { cause: error });
  }
  const value = text.replace(/\r?\n$/, "");
  if (isLongEnough(value)) return value;
  throw new CommandError(EXIT.config, `the secret in ${file} is shorter than ${SHORTEST} bytes`, [
    "put the whole secret into the file, on one line",
  ]);
}

/** Whether a secret has the least length. */
export function isLongEnough(secret: string): boolean {
  return new TextEncoder().encode(secret).length >= SHORTEST;
}

/** A secret of 256 random bits. */
export function generateSecret(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * Writes a secret (mode 0600) so that it is whole and on the disk before `place` puts it where it
 * belongs.
 *
 * @throws {CommandError} with exit code 78 when that cannot be done.
 */
export async function writeSecret(
  file: string,
  value: string,
  place: (draft: string, file: string) => Promise<void>,
): Promise<void> {
  const draft = `${file}.${crypto.randomUUID()}`;
  try {
    await Deno.writeTextFile(draft, `${value}\n`, { createNew: true, mode: 0o600 });
    using written = await Deno.open(draft);
    await written.sync();
    await place(draft, file);
    await syncDirectory(file);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    throw new CommandError(EXIT.config, `the secret file ${file} cannot be written`, [
      "make its directory writable, or set NOT_MY_KEY",
    ], { cause: error });
  } finally {
    await Deno.remove(draft).catch(() => {}); // it was renamed, or never came to be
  }
}

/** Of two processes that start at once, the second one takes what the first one made. */
async function createSecretFile(file: string): Promise<Secret> {
  try {
    const value = generateSecret();
    await writeSecret(file, value, Deno.link); // a link, unlike a rename, replaces nothing
    return { value, file, isNew: true };
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    const value = await readSecretFile(file);
    if (value !== undefined) return { value, file };
    throw new CommandError(EXIT.config, `the secret file ${file} is a link that leads nowhere`, [
      "restore what it leads to, or remove it",
    ]);
  }
}

/** A new name in a directory is only on the disk when the directory is. */
async function syncDirectory(file: string): Promise<void> {
  try {
    using directory = await Deno.open(dirname(file));
    await directory.sync();
  } catch {
    // Not every system opens directories; those that do not need no such thing.
  }
}
