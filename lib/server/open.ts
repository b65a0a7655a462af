/** The database and what a key ring over it is made of, opened as the configuration says. */

import { DomainError } from "../base/errors.ts";
import { NETWORK_ADVICE, networkUnder, type ReadType } from "../base/file_system.ts";
import type { Log } from "../base/log.ts";
import { KeyPool } from "../keys/key_pool.ts";
import type { KeyRingParts } from "../keys/key_ring.ts";
import { generatePrivateJwk, isSupported } from "../keys/signing_key.ts";
import { KeyEncryption } from "../sealing/key_encryption.ts";
import {
  createReopener,
  obtainSecrets,
  type Secret,
  unlockFirst,
  warnOfSecretFile,
} from "../sealing/secret.ts";
import { SqliteDatabase } from "../storage/sqlite/database.ts";
import { type Examination, examineDatabase } from "../storage/sqlite/examination.ts";
import { SCHEMA_VERSION } from "../storage/sqlite/schema.ts";
import { SqliteStorage } from "../storage/sqlite/sqlite_storage.ts";
import type { Config } from "./config.ts";

/** An open database, with everything that a key ring over it needs. */
export interface OpenedDatabase extends KeyRingParts {
  storage: SqliteStorage;
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
  const examined = examineDatabase(config.database, { withUsers: true });
  tellOf(examined, log);
  const opened = await open(config, examined, log);
  await warnOfNetwork(config, log);
  return opened;
}

/** Tells of a database on another machine's disk: it may work, and lose what it holds. */
export async function warnOfNetwork(
  { database }: Pick<Config, "database">,
  log: Log,
  readType?: ReadType,
): Promise<void> {
  const network = await networkUnder(database, readType);
  if (network === undefined) return;
  log.warn(`the database lies on a network file system: ${NETWORK_ADVICE}`, {
    file_system: network,
  });
}

/**
 * As `openDatabase`, for a command: the database must exist, and the algorithm is only needed when a
 * key is made.
 */
export async function openExistingDatabase(config: Config, log: Log): Promise<OpenedDatabase> {
  const database = await open(config, examineExisting(config), log);
  // The shell that a command is called from needs not say what the server's environment does.
  return { ...database, stated: config.stated };
}

/** The storage alone, for what needs no secret; the database must exist. */
export function openExistingStorage(config: Config): SqliteStorage {
  return new SqliteStorage(SqliteDatabase.open(examineExisting(config)));
}

async function open(config: Config, examined: Examination, log: Log): Promise<OpenedDatabase> {
  const { policy } = config;
  const known = examined.keyEncryption;
  const pool = new KeyPool(generatePrivateJwk);
  if (known === undefined) pool.prepare(policy.alg, navigator.hardwareConcurrency);
  const secrets = await obtainSecrets(config, known);
  // A wrong secret must be told before anything is opened for writing.
  const unlocked = known && await unlockFirst(secrets, known, log);
  const storage = new SqliteStorage(SqliteDatabase.open(examined));
  const { encryption, secret } = unlocked ?? {
    encryption: await KeyEncryption.establish(storage, secrets[0].value),
    secret: secrets[0],
  };
  await warnOfSecretFile(secret, config, log);
  const reopen = createReopener(config);
  return { storage, encryption, reopen, secret, pool, policy, clock: Date.now, log };
}

/** Says what was done at the start, or is about to be, that takes long on a large database. */
function tellOf({ uncleanEnd, oldVersion }: Examination, log: Log): void {
  if (uncleanEnd?.isChecked) {
    log.info("the last server came to no clean end, or still runs: the whole database is sound");
  } else if (uncleanEnd) {
    log.warn("the last server came to no clean end, or still runs: the database is unchecked", {
      hint: "it is too large for a start; jwks-server doctor checks it",
    });
  }
  if (oldVersion !== undefined) {
    log.info("the database is brought up to date, which may take a while", {
      from: oldVersion,
      to: SCHEMA_VERSION,
    });
  }
}

function examineExisting({ database }: Config): Examination {
  const examined = examineDatabase(database);
  if (!examined.isNew) return examined;
  throw new DomainError("database_unusable", `There is no database ${database}`, {
    hints: [
      "run the command where the server runs, or set DATABASE; jwks-server init makes a database",
    ],
  });
}

async function assertSupported({ policy: { alg } }: Config): Promise<void> {
  if (await isSupported(alg)) return;
  throw new DomainError(
    "configuration",
    `SIGNING_ALG is ${alg}, which this runtime (Deno ${Deno.version.deno}) lacks`,
    { hints: ["choose another algorithm, or run a build on a newer Deno"] },
  );
}
