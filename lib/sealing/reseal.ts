/**
 * A new secret in the place of the old one: every key is sealed anew in one transaction, and the
 * files of both secrets outlive a crash at any step.
 */

import type { Argon2Cost } from "../base/argon2_cost.ts";
import { isSameBytes } from "../base/bytes.ts";
import { DISK, type Disk } from "../base/disk.ts";
import { DomainError, isDomainError, keyUnreadable } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { KeyStorage } from "../storage/storage.ts";
import { KeyEncryption } from "./key_encryption.ts";
import { generateSecret, type Secret, settleSecret } from "./secret.ts";
import { createSecretFile, keptFileOf, pendingFileOf, readSecretFile } from "./secret_file.ts";

export interface ResealParts {
  storage: KeyStorage;
  /** What the keys are sealed under now, and the secret that it comes from. */
  encryption: KeyEncryption;
  secret: Secret;
  log: Log;
  disk?: Disk;
  cost?: Argon2Cost;
}

/** What to do where a new secret can be put into no file, since that is given to this machine as it is. */
const INSTEAD = [
  "where its directory is read-only, as a mounted one, make the secret elsewhere: " +
  "openssl rand -base64 32 > new-secret; jwks-server rekey --secret-file new-secret " +
  "(or NEW_NOT_MY_KEY), and put it at once where the servers have theirs from",
  "else make the directory writable; nothing was changed",
];

/** What came of it. */
export interface Resealed {
  /** How many keys are sealed under the new secret. */
  count: number;
  /** The file with the new secret, when it was made. */
  file?: string;
  /** The file in which the secret is kept that stood in `file` before. */
  keptFile?: string;
}

/** Seals every key under `secret`, which the operator keeps. @throws as `resealKeys` does. */
export async function changeSecret(parts: ResealParts, secret: string): Promise<Resealed> {
  const next = await KeyEncryption.create(secret, parts.cost);
  return { count: await resealKeys(parts.storage, parts.encryption, next) };
}

/**
 * Makes a secret, seals every key under it and puts it into `file`. Killed at any moment, the
 * database is wholly old or wholly new and its secret is there: the new one is on the disk, beside
 * the file whose place it takes, before the database needs it, and so is a copy of what stands in
 * that file, which backups made before still need.
 *
 * @throws {DomainError} `secret_unusable` when the files cannot be written; otherwise as
 * `resealKeys` does. Nothing has changed then.
 */
export async function renewSecret(parts: ResealParts, file: string): Promise<Resealed> {
  const { storage, encryption, log, disk = DISK } = parts;
  await assertCurrent(parts);
  const value = generateSecret();
  const next = await KeyEncryption.create(value, parts.cost);
  const pending: Secret = { value, file: pendingFileOf(file, next.record), awaits: file };
  const keptFile = await keepSecret(
    disk,
    file,
    (value) => keptFileOf(file, value === parts.secret.value ? encryption.record : next.record),
  );
  await createSecretFile(disk, pending.file!, value, INSTEAD);
  let count: number;
  try {
    count = await resealKeys(storage, encryption, next);
  } catch (error) {
    // Only a refusal is sure to have sealed nothing: a transaction may fail after it took effect.
    const isRefusal = isDomainError(error, "conflict") || isDomainError(error, "key_unreadable");
    if (isRefusal) await disk.remove(pending.file!);
    throw error;
  }
  const settled = await settleSecret(pending, log, disk);
  return { count, file: settled.file!, ...(keptFile === undefined ? {} : { keptFile }) };
}

/**
 * Copies the secret in `file`, if there is one, and says where to. One that is not the database's
 * (it may be that of a newer backup) has a name that nothing else has.
 */
async function keepSecret(
  disk: Disk,
  file: string,
  nameFor: (value: string) => string,
): Promise<string | undefined> {
  const value = await readSecretFile(file);
  if (value === undefined) return undefined;
  const keptFile = nameFor(value);
  try {
    await createSecretFile(disk, keptFile, value, INSTEAD);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    if (await readSecretFile(keptFile) !== value) {
      throw new DomainError(
        "secret_unusable",
        `The old secret cannot be kept: ${keptFile} holds another one`,
        { hints: ["keep a copy of that file under another name; nothing was changed"] },
      );
    }
  }
  return keptFile;
}

/**
 * Seals every key under `next` instead of `encryption`, in one transaction, and gives their number.
 *
 * @throws {DomainError} `conflict` when another process changed the secret first, and
 * `key_unreadable` when a row cannot be opened; nothing has changed then.
 */
export async function resealKeys(
  storage: KeyStorage,
  encryption: KeyEncryption,
  next: KeyEncryption,
): Promise<number> {
  for (;;) {
    const snapshot = await storage.readKeys();
    if (!isSameBytes(snapshot.check, encryption.record.check)) {
      throw overtaken();
    }
    const [odd] = snapshot.odd;
    if (odd !== undefined) throw keyUnreadable(odd.id, odd.reason);
    const records = await Promise.all(snapshot.records.map(async (record) => {
      const { schedule, jwk } = await encryption.open(record);
      return await next.seal(schedule, jwk);
    }));
    // A server may have changed a key since it was read: then all of it is done again.
    if (await storage.rekey(snapshot, records, next.record)) return records.length;
  }
}

/** Says so before a file is touched when the keys are not sealed under `encryption` any more. */
async function assertCurrent({ storage, encryption }: ResealParts): Promise<void> {
  const { check } = await storage.readKeys();
  if (!isSameBytes(check, encryption.record.check)) throw overtaken();
}

function overtaken(): DomainError {
  return new DomainError("conflict", "Another rekey was faster", {
    hints: ["the database is sealed under that one's secret; nothing was changed by this one"],
  });
}
