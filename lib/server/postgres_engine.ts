/** A database on a PostgreSQL server, as a server or a command finds it. */

import { firstReason } from "../base/first_reason.ts";
import { errorFields, type Log } from "../base/log.ts";
import { examinePostgres } from "../storage/postgres/examination.ts";
import type { PostgresLocation } from "../storage/postgres/location.ts";
import { migrate, type Migrated, prepareSchema } from "../storage/postgres/migration.ts";
import { openFailure } from "../storage/postgres/open_failure.ts";
import { MAX_CONNECTIONS, PostgresPool } from "../storage/postgres/pool.ts";
import { PostgresStorage } from "../storage/postgres/postgres_storage.ts";
import type { ExaminedDatabase } from "./examined_database.ts";
import { readCertificates } from "./pem_file.ts";

export interface PostgresSettings {
  server: PostgresLocation;
  /** The file with the certificates by which the server is known, in place of the usual ones. */
  caFile: string | undefined;
  /** Whether a schema that is old, or not there yet, is brought up to date. */
  mayMigrate: boolean;
}

/** Connects to nothing yet. @throws as `readCertificates` does. */
export async function createPool(
  { server, caFile }: Pick<PostgresSettings, "server" | "caFile">,
  log: Log,
): Promise<PostgresPool> {
  const ca = caFile === undefined ? undefined : await readCertificates("DATABASE_CA_FILE", caFile);
  return new PostgresPool(server, {
    ca,
    onError: (error) => tellOfLoss(error, log),
    onShortage: (connections, error) => tellOfShortage(connections, error, log),
  });
}

/** @throws as `examinePostgres` and `readCertificates` do. */
export async function examineServer(
  { server, caFile, mayMigrate }: PostgresSettings,
  log: Log,
): Promise<ExaminedDatabase> {
  const pool = await createPool({ server, caFile }, log);
  try {
    const { isNew, keyEncryption } = await examinePostgres(pool);
    return {
      isNew,
      keyEncryption,
      open: () => open(pool, mayMigrate, log),
      close: () => pool.close(),
    };
  } catch (error) {
    await pool.close();
    throw openFailure(server, error);
  }
}

/** Brings the schema up to date, as the role of the URL. @throws as `migrate` and `readCertificates` do. */
export async function migrateServer(
  settings: Pick<PostgresSettings, "server" | "caFile">,
  log: Log,
): Promise<Migrated> {
  const pool = await createPool(settings, log);
  try {
    return await migrate(pool);
  } catch (error) {
    throw openFailure(settings.server, error);
  } finally {
    await pool.close();
  }
}

async function open(pool: PostgresPool, mayMigrate: boolean, log: Log): Promise<PostgresStorage> {
  try {
    const { from, to } = await prepareSchema(pool, { mayMigrate });
    if (from !== to) log.info("the database was brought up to date", { from, to });
    return new PostgresStorage(pool);
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/** A connection that nobody used: the next that is needed is made anew. */
function tellOfLoss(error: unknown, log: Log): void {
  log.debug("a connection to the database was lost", errorFields(error));
}

/** Calls wait for the connections that there are, which takes them longer. */
function tellOfShortage(connections: number, error: unknown, log: Log): void {
  log.warn("the database takes no more connections from this server", {
    connections,
    wanted: MAX_CONNECTIONS,
    reason: error instanceof Error ? firstReason(error) : "",
  });
}
