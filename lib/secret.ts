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

/** A secret, and the path of its file when it was made just now. */
export interface Secret {
  value: string;
  createdAt?: string;
}

/** The file in which a generated secret is kept. */
export function secretFileOf(database: string): string {
  return `${database}.key`;
}

/**
 * Finds the secret: `NOT_MY_KEY`, the file it names, the file beside the database, or, when the
 * database is new, a generated one that is written to that file (mode 0600) before it is used.
 *
 * @throws {CommandError} with exit code 78 when there is none, or its file cannot be used.
 */
export async function obtainSecret(source: SecretSource, isNewDatabase: boolean): Promise<Secret> {
  if (source.secret !== undefined) return { value: source.secret };
  if (source.secretFile !== undefined) {
    const value = await readSecretFile(source.secretFile);
    if (value !== undefined) return { value };
    throw new CommandError(EXIT.config, `the secret file ${source.secretFile} does not exist`, [
      "NOT_MY_KEY_FILE must name a file that holds the secret",
    ]);
  }
  const file = secretFileOf(source.database);
  const kept = await readSecretFile(file);
  if (kept !== undefined) return { value: kept };
  if (!isNewDatabase) {
    throw new CommandError(
      EXIT.config,
      `the database ${source.database} exists, but there is no secret to open its keys with`,
      [`set NOT_MY_KEY or NOT_MY_KEY_FILE to the secret it was made with, or restore ${file}`],
    );
  }
  return await createSecretFile(file);
}

async function readSecretFile(file: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new CommandError(EXIT.config, `the secret file ${file} cannot be read`, [
      "it must be a text file that this user may read",
    ], { cause: error });
  }
  const value = text.replace(/\r?\n$/, "");
  if (new TextEncoder().encode(value).length >= SHORTEST) return value;
  throw new CommandError(EXIT.config, `the secret in ${file} is shorter than ${SHORTEST} bytes`, [
    "put the whole secret into the file, on one line",
  ]);
}

/**
 * Writes a new secret aside and links it into place: the file appears whole or not at all, and of
 * two processes that start at once, the second one takes what the first one made.
 */
async function createSecretFile(file: string): Promise<Secret> {
  const value = base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
  const draft = `${file}.${crypto.randomUUID()}`;
  try {
    await Deno.writeTextFile(draft, `${value}\n`, { createNew: true, mode: 0o600 });
    using written = await Deno.open(draft);
    await written.sync();
    await Deno.link(draft, file);
    return { value, createdAt: file };
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      return { value: (await readSecretFile(file))! };
    }
    throw new CommandError(EXIT.config, `the secret file ${file} cannot be written`, [
      "make its directory writable, or set NOT_MY_KEY",
    ], { cause: error });
  } finally {
    await Deno.remove(draft).catch(() => {}); // it may never have come to be
  }
}
