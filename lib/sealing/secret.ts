/** Where the secret comes from that protects the private keys. */

import { base64url } from "jose";
import { isSameBytes } from "../base/bytes.ts";
import { DISK, type Disk } from "../base/disk.ts";
import { DomainError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { KeyEncryptionRecord } from "../storage/storage.ts";
import { KeyEncryption, wrongSecret } from "./key_encryption.ts";
import {
  createSecretFile,
  isExposed,
  keptFileOf,
  keptFilesOf,
  pendingFileOf,
  readSecretFile,
} from "./secret_file.ts";

/** The ways in which an operator gives the secret; at most one of the first two is set. */
export interface SecretSource {
  secret: string | undefined;
  secretFile: string | undefined;
  /** The file in which it is when neither is set; a database that machines share has none. */
  usualFile: string | undefined;
  /** The database as people name it. */
  database: string;
}

/** A secret, and the file it stands in, if it stands in one. */
export interface Secret {
  value: string;
  file?: string;
  /** The file was made just now. */
  isNew?: boolean;
  /** It waits in `file` to take the place of what stands in the file of this name. */
  awaits?: string;
}

/** A secret and the key-encryption key that comes from it. */
export interface UnlockedSecret {
  secret: Secret;
  encryption: KeyEncryption;
}

/** A secret of 256 random bits. */
export function generateSecret(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * Finds the secret: `NOT_MY_KEY`, the file that `NOT_MY_KEY_FILE` names, the file beside the
 * database, or, when the database is new, a generated one that is written to that file (mode 0600)
 * before it is used.
 *
 * @param known what an existing database keeps of its secret; `undefined` for a new one.
 * @returns what may be the secret: the one in the file, one that waits to take its place because a
 * process was killed, and one that was kept for this very database when another took its place.
 * @throws {DomainError} `secret_unusable` when there is none, or its file cannot be used.
 */
export async function obtainSecrets(
  source: SecretSource,
  known: KeyEncryptionRecord | undefined,
  disk: Disk = DISK,
): Promise<[Secret, ...Secret[]]> {
  if (source.secret !== undefined) return [{ value: source.secret }];
  const file = source.secretFile ?? source.usualFile;
  if (file === undefined) throw unshared();
  const [first, ...others] = await readSecrets(file, known);
  if (first !== undefined) return [first, ...others];
  if (source.secretFile !== undefined) {
    throw new DomainError("secret_unusable", `The secret file ${file} does not exist`, {
      hints: ["NOT_MY_KEY_FILE must name a file that holds the secret"],
    });
  }
  if (known !== undefined) {
    throw new DomainError(
      "secret_unusable",
      `The database ${source.database} exists, but there is no secret to open its keys with`,
      {
        hints: [
          `set NOT_MY_KEY or NOT_MY_KEY_FILE to the secret it was made with, or restore ${file}`,
        ],
      },
    );
  }
  return [await makeSecret(file, disk)];
}

/** One that is made here would be on this machine alone, and no other server could open the keys. */
function unshared(): DomainError {
  return new DomainError(
    "secret_unusable",
    "There is no secret, and none is made for a database that several servers may share",
    {
      hints: [
        "set NOT_MY_KEY_FILE, or NOT_MY_KEY, to the same secret for every server; openssl rand -base64 32 makes one",
      ],
    },
  );
}

async function readSecrets(
  file: string,
  known: KeyEncryptionRecord | undefined,
): Promise<Secret[]> {
  const pendingFile = known && pendingFileOf(file, known);
  const names = known === undefined
    ? [file]
    : [file, pendingFile!, keptFileOf(file, known), ...await keptFilesOf(file)];
  const secrets = new Map<string, Secret>();
  for (const name of names) {
    const value = await readSecretFile(name);
    if (value === undefined || secrets.has(value)) continue;
    secrets.set(value, { value, file: name, ...(name === pendingFile ? { awaits: file } : {}) });
  }
  return [...secrets.values()];
}

/** Of two processes that start at once, the second one takes what the first one made. */
async function makeSecret(file: string, disk: Disk): Promise<Secret> {
  try {
    const value = generateSecret();
    await createSecretFile(disk, file, value);
    return { value, file, isNew: true };
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    const value = await readSecretFile(file);
    if (value !== undefined) return { value, file };
    throw new DomainError(
      "secret_unusable",
      `The secret file ${file} is a link that leads nowhere`,
      { hints: ["restore what it leads to, or remove it"] },
    );
  }
}

/**
 * Unlocks with the first secret that fits. One that was waiting, because the process was killed
 * after it had sealed the database under it, now takes its place.
 *
 * @throws {DomainError} `secret_unusable` when none fits.
 */
export async function unlockFirst(
  secrets: readonly Secret[],
  known: KeyEncryptionRecord,
  log: Log,
  disk: Disk = DISK,
): Promise<UnlockedSecret> {
  for (const secret of secrets) {
    const encryption = await KeyEncryption.tryUnlock(secret.value, known);
    if (encryption === undefined) continue;
    return { secret: await settleSecret(secret, log, disk), encryption };
  }
  throw wrongSecret();
}

/**
 * Puts a secret that waited into its place. A file that cannot be replaced (one that is mounted into
 * a container) keeps it waiting, and it is found there at the next start, too.
 */
export async function settleSecret(secret: Secret, log: Log, disk: Disk = DISK): Promise<Secret> {
  const { value, file, awaits } = secret;
  if (file === undefined || awaits === undefined) return secret;
  try {
    await disk.rename(file, awaits);
    await disk.sync(awaits);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) { // else another process has put it there
      log.warn("the new secret stays where it is, because its file cannot be replaced: keep both", {
        new_secret: file,
        file: awaits,
      });
      return secret;
    }
  }
  return { value, file: awaits };
}

/** Tells of what is not as it should be with the file of a secret that is in use. */
export async function warnOfSecretFile(
  { file, isNew }: Secret,
  { secretFile, usualFile }: SecretSource,
  log: Log,
): Promise<void> {
  if (file === undefined) return;
  if (isNew) {
    log.warn(
      "a secret was made, because none is set: without it the keys are lost, so back it up",
      { file },
    );
  }
  if (isExposed(await Deno.stat(file))) {
    log.warn("others than its owner may read the file of the secret: chmod 600", { file });
  }
  const usual = secretFile ?? usualFile;
  if (file !== usual && file.startsWith(`${usual}.old-`)) {
    log.warn("the database is an older one: a secret that was kept for it opens it", { file });
  }
}

/**
 * Makes the function with which a process goes on after the database was sealed under another
 * secret: it reads the secret's file again and gives the key-encryption key that opens `record`,
 * or `undefined`. A secret is derived from once for each record, however many ask at the same time.
 */
export function createReopener(
  source: SecretSource,
): (record: KeyEncryptionRecord) => Promise<KeyEncryption | undefined> {
  let attempts = new Map<string, Promise<KeyEncryption | undefined>>();
  let check: Uint8Array = new Uint8Array();
  return async function reopen(record) {
    if (source.secret !== undefined) return undefined; // the environment does not change
    if (!isSameBytes(check, record.check)) [attempts, check] = [new Map(), record.check];
    const file = source.secretFile ?? source.usualFile;
    if (file === undefined) return undefined;
    for (const { value } of await readSecrets(file, record)) {
      const attempt = attempts.get(value) ?? KeyEncryption.tryUnlock(value, record);
      attempts.set(value, attempt);
      attempt.catch(() => attempts.delete(value)); // the record may be mended
      const encryption = await attempt;
      if (encryption !== undefined) return encryption;
    }
    return undefined;
  };
}
