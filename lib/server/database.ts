/** The database that the configuration names: looked at before anything is done to it, then opened. */

import { DomainError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { type DatabaseLocation, describeLocation } from "../storage/location.ts";
import type { Config } from "./config.ts";
import type { ExaminedDatabase, Purpose } from "./examined_database.ts";
import { examineFile, noDatabase } from "./sqlite_engine.ts";

type Located = Pick<Config, "database" | "databaseCaFile" | "migrate">;

/**
 * Looks at the database and changes nothing.
 *
 * @throws {DomainError} `database_unusable`, `storage_unavailable`.
 */
export async function examine(
  { database, databaseCaFile: caFile, migrate: mayMigrate }: Located,
  purpose: Purpose,
  log: Log,
): Promise<ExaminedDatabase> {
  switch (database.engine) {
    case "sqlite":
      return await examineFile(database.path, purpose, log);
    case "postgres": {
      // Who keeps the database in a file needs neither the memory nor the time that the driver takes.
      const { examineServer } = await import("./postgres_engine.ts");
      return await examineServer({ server: database.server, caFile, mayMigrate }, log);
    }
  }
}

/** As `examine`, for a command that makes no database. */
export async function examineExisting(config: Located, log: Log): Promise<ExaminedDatabase> {
  const examined = await examine(config, "command", log);
  if (!examined.isNew) return examined;
  await examined.close();
  throw config.database.engine === "sqlite"
    ? noDatabase(config.database.path)
    : emptyDatabase(config.database);
}

function emptyDatabase(database: DatabaseLocation): DomainError {
  return new DomainError(
    "database_unusable",
    `The database ${describeLocation(database)} has no tables of jwks-server yet`,
    {
      hints: ["set DATABASE to that of the servers; jwks-server init fills one, or a first start"],
    },
  );
}
