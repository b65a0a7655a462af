/** The tables of a database on a server: what a copy is made of, and what it is written into. */

import { DomainError } from "../../base/errors.ts";
import type { TableReader, TableWriter } from "../tables.ts";
import { CommitUnknown } from "./faults.ts";
import { describePostgres, type PostgresLocation } from "./location.ts";
import { failureOf, inLongTransaction } from "./long_transaction.ts";
import { migrate } from "./migration.ts";
import { PostgresPool } from "./pool.ts";
import type { SettingNames } from "./remedies.ts";
import { readSchemaState } from "./schema_state.ts";
import { assertSequenceRights } from "./sequence_rights.ts";
import { PostgresTableReader } from "./table_reader.ts";
import { PostgresTableWriter } from "./table_writer.ts";

/** A server, and the certificates, as PEM, by which it is known in place of the system's. */
export interface TrustedServer {
  location: PostgresLocation;
  ca: string | undefined;
  /** By what an operator has named the database, if not as a server's own. */
  settings?: SettingNames | undefined;
}

/**
 * Runs `body`, which only reads, on the database as it is at one moment.
 *
 * @throws {DomainError} `database_unusable` as `readSchemaState` does, without any tables, and to a
 * role that may not read what numbers rows are given;
 * `storage_unavailable`; whatever `body` throws.
 */
export function readTables<Result>(
  { location, ca, settings }: TrustedServer,
  body: (reader: TableReader) => Promise<Result>,
): Promise<Result> {
  return inLongTransaction(
    location,
    { isolation: "REPEATABLE READ READ ONLY", ca, settings },
    async (statements) => {
      const { version } = await readSchemaState(statements);
      const name = describePostgres(location);
      if (version > 0) {
        await assertSequenceRights(statements, name, ["SELECT"]);
        return await body(new PostgresTableReader(statements));
      }
      throw new DomainError("database_unusable", `The database ${name} has no tables yet`, {
        hints: ["set DATABASE, or DATABASE_FILE, to the database that is to be copied"],
      });
    },
  );
}

/**
 * Runs `body` in a transaction on the database, whose tables are made if there are none. Others
 * write nothing there in the meantime.
 *
 * @throws as `migrate` and `assertSequenceRights` do; `failed` when it is not known whether the transaction took effect;
 * whatever `body` throws.
 */
export async function writeTables<Result>(
  { location, ca, settings }: TrustedServer,
  body: (writer: TableWriter) => Promise<Result>,
): Promise<Result> {
  await prepare({ location, ca, settings });
  try {
    return await inLongTransaction(
      location,
      { isolation: "READ COMMITTED", ca, settings },
      async (statements) => {
        const writer = new PostgresTableWriter(statements);
        await writer.lock();
        await assertSequenceRights(statements, describePostgres(location), ["SELECT", "UPDATE"]);
        return await body(writer);
      },
    );
  } catch (error) {
    throw isDoubtful(error) ? doubtful(location, error) : error;
  }
}

async function prepare({ location, ca, settings }: TrustedServer): Promise<void> {
  const pool = new PostgresPool(location, { ca });
  try {
    await migrate(pool);
  } catch (error) {
    throw failureOf({ location, settings }, error);
  } finally {
    await pool.close();
  }
}

/** What only reads, such as the source, leaves no doubt when its end is not heard of. */
function isDoubtful(error: unknown): boolean {
  if (error instanceof CommitUnknown) return error.committing.number !== undefined;
  return error instanceof Error && isDoubtful(error.cause);
}

function doubtful(location: PostgresLocation, cause: unknown): DomainError {
  return new DomainError(
    "failed",
    `The connection was lost at the very end: ${
      describePostgres(location)
    } holds all of it, or nothing`,
    { cause, hints: ["copy again: that is refused if the target holds it"] },
  );
}
