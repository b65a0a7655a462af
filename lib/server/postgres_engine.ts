/** A database on a PostgreSQL server, as a server or a command finds it. */

import { DomainError, isDomainError } from "../base/errors.ts";
import { errorFields, type Log } from "../base/log.ts";
import { examinePostgres } from "../storage/postgres/examination.ts";
import { describePostgres, type PostgresLocation } from "../storage/postgres/location.ts";
import { prepareSchema } from "../storage/postgres/migration.ts";
import { PostgresPool } from "../storage/postgres/pool.ts";
import { PostgresStorage } from "../storage/postgres/postgres_storage.ts";
import { readCaFile } from "./ca_file.ts";
import type { ExaminedDatabase } from "./examined_database.ts";

export interface PostgresSettings {
  server: PostgresLocation;
  /** The file with the certificates by which the server is known, beside the usual ones. */
  caFile: string | undefined;
  /** Whether a schema that is old, or not there yet, is brought up to date. */
  mayMigrate: boolean;
}

/** @throws as `examinePostgres` and `readCaFile` do. */
export async function examineServer(
  { server, caFile, mayMigrate }: PostgresSettings,
  log: Log,
): Promise<ExaminedDatabase> {
  const ca = caFile === undefined ? undefined : await readCaFile("DATABASE_CA_FILE", caFile);
  const pool = new PostgresPool(server, { ca, onError: (error) => tellOfLoss(error, log) });
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
    throw named(server, error);
  }
}

/** Says which server it is, and in its own words why it cannot be used: they hold no password. */
function named(server: PostgresLocation, error: unknown): unknown {
  if (!isDomainError(error, "storage_unavailable")) return error;
  const { fault } = error.data;
  const message = `The database ${describePostgres(server)} is ${fault}: ${reasonOf(error)}`;
  return new DomainError("storage_unavailable", message, {
    ...error.data,
    cause: error,
    hints: [
      "see that its server runs and takes connections from here, and what DATABASE says of it",
    ],
  });
}

/** What is at the bottom of an error. */
function reasonOf(error: Error): string {
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const { code } = error as { code?: unknown };
  return error.message || String(code);
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
