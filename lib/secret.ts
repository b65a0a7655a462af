/** Where the secret comes from that protects the private keys. */

import { base64url } from "jose";
import { CommandError, EXIT } from "./errors.ts";

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
  /** It waits in `pendingFileOf(file)` to take the place of what stands in `file`. */
  isPending?: boolean;
}

/** The file in which a generated secret is kept. */
export function secretFileOf(database: string): string {
  return `${database}.key`;
}

/** The file in which the next secret waits until the database is sealed under it. */
export function pendingFileOf(file: string): string {
  return `${file}.new`;
}

/**
 * Finds the secret: `NOT_MY_KEY`, the file it names, the file beside the database, or, when the
 * database is new, a generated one that is written to that file (mode 0600) before it is used.
 * Beside a file, a second secret may be pending; the first in the list that opens the database is
 * the right one.
 *
 * @throws {CommandError} with exit code 78 when there is none, or its file cannot be used.
 */
export async function obtainSecrets(
  source: SecretSource,
  isNewDatabase: boolean,
): Promise<[Secret, ...Secret[]]> {
  if (source.secret !== undefined) return [{ value: source.secret }];
  const file = source.secretFile ?? secretFileOf(source.database);
  const [first, ...others] = await readSecrets(file);
  if (first !== undefined) return [first, ...others];
  if (source.secretFile !== undefined) {
    throw new CommandError(EXIT.config, `the secret file ${file} does not exist`, [
      "NOT_MY_KEY_FILE must name a file that holds the secret",
    ]);
  }
  if (!isNewDatabase) {
    throw new CommandError(
      EXIT.config,
      `the database ${source.database} exists, but there is no secret to open its keys with`,
      [`set NOT_MY_KEY or NOT_MY_KEY_FILE to the secret it was made with, or restore ${file}`],
    );
  }
  return [await createSecretFile(file)];
}

async function readSecrets(file: string): Promise<Secret[]> {
  const value = await readSecretFile(file);
  const pending = await readSecretFile(pendingFileOf(file));
  return [
    ...(value === undefined ? [] : [{ value, file }]),
    ...(pending === undefined ? [] : [{ value: pending, file, isPending: true }]),
  ];
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
    return { value: (await readSecretFile(file))!, file };
  }
}
