/** The database and what a key ring over it is made of, opened as the configuration says. */

import { DomainError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { KeyPool } from "../keys/key_pool.ts";
import type { KeyRingParts } from "../keys/key_ring.ts";
import { generatePrivateJwk, isSupported } from "../keys/signing_key.ts";
import { KeyEncryption } from "../sealing/key_encryption.ts";
import {
  createReopener,
  obtainSecrets,
  type Secret,
  type SecretSource,
  type UnlockedSecret,
  unlockFirst,
  warnOfSecretFile,
} from "../sealing/secret.ts";
import { secretFileOf } from "../sealing/secret_file.ts";
import { describeLocation } from "../storage/location.ts";
import type { Storage } from "../storage/storage.ts";
import type { Config } from "./config.ts";
import { examine, examineExisting } from "./database.ts";
import type { ExaminedDatabase } from "./examined_database.ts";

/** An open database, with everything that a key ring over it needs. */
export interface OpenedDatabase extends KeyRingParts {
  storage: Storage;
  /** The secret that opened it. */
  secret: Secret;
}

/**
 * Opens the database for the server; what does not exist is created, and on a new database keys are
 * in the making from the first moment.
 *
 * @throws {DomainError} `secret_unusable`, `database_unusable`, or `configuration` when the signing
 * algorithm is not to be had, all with nothing written; `storage_unavailable`.
 */
export async function openDatabase(config: Config, log: Log): Promise<OpenedDatabase> {
  await assertSupported(config);
  return await open(config, await examine(config, "server", log), log);
}

/**
 * As `openDatabase`, for a command: the database must exist, and be under a secret already, which
 * the shell that a command is called from does not choose. The algorithm is only needed when a key
 * is made.
 */
export async function openExistingDatabase(config: Config, log: Log): Promise<OpenedDatabase> {
  const examined = await examineExisting(config, log);
  if (examined.keyEncryption === undefined) {
    await examined.close();
    throw withoutKeys(config);
  }
  const database = await open(config, examined, log);
  // The shell that a command is called from needs not say what the server's environment does.
  return { ...database, stated: config.stated };
}

/** The storage alone, for what needs no secret; the database must exist. */
export async function openExistingStorage(config: Config, log: Log): Promise<Storage> {
  return await (await examineExisting(config, log)).open();
}

function withoutKeys({ database }: Config): DomainError {
  const message = `The database ${describeLocation(database)} has no keys yet`;
  return new DomainError("database_unusable", message, {
    hints: ["jwks-server init makes them, as the first start of a server does"],
  });
}

/** Where the secret of the configured database is. */
export function secretSourceOf(
  { secret, secretFile, database }: Pick<Config, "secret" | "secretFile" | "database">,
): SecretSource {
  return {
    secret,
    secretFile,
    usualFile: database.engine === "sqlite" ? secretFileOf(database.path) : undefined,
    database: describeLocation(database),
  };
}

async function open(
  config: Config,
  examined: ExaminedDatabase,
  log: Log,
): Promise<OpenedDatabase> {
  const { policy } = config;
  const { keyEncryption: known } = examined;
  const source = secretSourceOf(config);
  const pool = new KeyPool(generatePrivateJwk);
  if (known === undefined) pool.prepare(policy.alg, navigator.hardwareConcurrency);
  const { secrets, unlocked } = await unlock(source, examined, log);
  const storage = await examined.open();
  try {
    const { encryption, secret } = unlocked ?? {
      encryption: await KeyEncryption.establish(storage, secrets[0].value),
      secret: secrets[0],
    };
    await warnOfSecretFile(secret, source, log);
    const reopen = createReopener(source);
    return { storage, encryption, reopen, secret, pool, policy, clock: Date.now, log };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** A wrong secret must be told before anything is opened for writing. */
async function unlock(
  source: SecretSource,
  { keyEncryption: known, close }: ExaminedDatabase,
  log: Log,
): Promise<{ secrets: [Secret, ...Secret[]]; unlocked: UnlockedSecret | undefined }> {
  try {
    const secrets = await obtainSecrets(source, known);
    return { secrets, unlocked: known && await unlockFirst(secrets, known, log) };
  } catch (error) {
    await close();
    throw error;
  }
}

async function assertSupported({ policy: { alg } }: Config): Promise<void> {
  if (await isSupported(alg)) return;
  throw new DomainError(
    "configuration",
    `SIGNING_ALG is ${alg}, which this runtime (Deno ${Deno.version.deno}) lacks`,
    { hints: ["choose another algorithm, or run a build on a newer Deno"] },
  );
}
