/** The database and its keys, opened as the configuration says. */

import { CLOCK_SKEW, type Config } from "./config.ts";
import { CommandError, EXIT } from "../base/errors.ts";
import { KeyEncryption, wrongSecret } from "../sealing/key_encryption.ts";
import { KeyPool } from "../keys/key_pool.ts";
import type { KeyRingParts } from "../keys/key_ring.ts";
import type { Log } from "../base/log.ts";
import type { RotationPolicy } from "../rotation/policy.ts";
import { obtainSecrets, type Secret, settleSecret } from "../sealing/secret.ts";
import { generatePrivateJwk, isSupported } from "../keys/signing_key.ts";
import { SqliteDatabase } from "../storage/sqlite/database.ts";
import { peekKeyEncryption } from "../storage/sqlite/meta.ts";
import { SqliteStorage } from "../storage/sqlite/sqlite_storage.ts";
import type { KeyEncryptionRecord } from "../storage/storage.ts";

/** What a key ring is made of, over the SQLite storage. */
export interface OpenedKeys extends KeyRingParts {
  storage: SqliteStorage;
  /** The secret that opened the database. */
  secret: Secret;
}

/** The rotation policy that the configuration asks for. */
export function rotationPolicy(config: Config): RotationPolicy {
  return { ...config.rotation, clockSkew: CLOCK_SKEW };
}

/**
 * Opens the database and derives its key-encryption key; what does not exist is created, and on a
 * new database keys are in the making from the first moment.
 *
 * @throws {CommandError} with exit code 78, with nothing written, when the secret is wrong or
 * missing, the database unusable, or the signing algorithm not to be had.
 */
export async function openKeys(config: Config, log: Log): Promise<OpenedKeys> {
  await assertSupported(config);
  const known = peekKeyEncryption(config.database);
  const pool = new KeyPool(() => generatePrivateJwk(config.signingAlg));
  if (known === undefined) pool.prepare(navigator.hardwareConcurrency);
  const secrets = await obtainSecrets(config, known);
  const [first] = secrets;
  if (first.isNew) {
    log.warn(
      "a secret was made, because none is set: without it the keys are lost, so back it up",
      { file: first.file! },
    );
  }
  // A wrong secret must be told before anything is opened for writing.
  const unlocked = known && await unlock(secrets, known, log);
  const storage = new SqliteStorage(SqliteDatabase.open(config.database));
  const { encryption, secret } = unlocked ??
    { encryption: await KeyEncryption.establish(storage, first.value), secret: first };
  const policy = rotationPolicy(config);
  return { storage, encryption, secret, pool, policy, clock: Date.now, log };
}

/** As `openKeys`, but the database must exist. */
export async function openExistingKeys(config: Config, log: Log): Promise<OpenedKeys> {
  await assertDatabase(config);
  return await openKeys(config, log);
}

/** The storage alone, for what needs no secret; the database must exist. */
export async function openExistingStorage(config: Config): Promise<SqliteStorage> {
  await assertDatabase(config);
  return new SqliteStorage(SqliteDatabase.open(config.database));
}

/**
 * Unlocks with the first secret that fits. One that was pending, because the process was killed
 * after it had sealed the database under it, now takes its place.
 */
async function unlock(
  secrets: readonly [Secret, ...Secret[]],
  known: KeyEncryptionRecord,
  log: Log,
): Promise<{ encryption: KeyEncryption; secret: Secret }> {
  for (const secret of secrets) {
    const encryption = await KeyEncryption.tryUnlock(secret.value, known);
    if (encryption === undefined) continue;
    if (secret.pendingFile && secret.file) await settleSecret(secret.pendingFile, secret.file, log);
    return { encryption, secret };
  }
  throw wrongSecret();
}

async function assertDatabase({ database }: Config): Promise<void> {
  const info = await Deno.stat(database).catch(() => undefined);
  if (info?.isFile && info.size > 0) return;
  throw new CommandError(EXIT.config, `there is no database ${database}`, [
    "run the command where the server runs, or set DATABASE; the server creates the database",
  ]);
}

async function assertSupported({ signingAlg }: Config): Promise<void> {
  if (await isSupported(signingAlg)) return;
  throw new CommandError(
    EXIT.config,
    `SIGNING_ALG is ${signingAlg}, which this runtime (Deno ${Deno.version.deno}) lacks`,
    ["choose another algorithm, or run a build on a newer Deno"],
  );
}
