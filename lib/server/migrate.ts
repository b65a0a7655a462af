/** The schema of the configured database, brought up to date by itself: no secret is needed for that. */

import type { Log } from "../base/log.ts";
import type { Config } from "./config.ts";
import { migrateFile } from "./sqlite_engine.ts";

/** The schema's version before and after; 0 where there was none yet. */
export interface Migrated {
  from: number;
  to: number;
}

/**
 * Does what a start does unless `MIGRATE` is off. A file is not made here, and needs none of this:
 * every start brings it up to date.
 *
 * @throws {DomainError} `database_unusable`, `storage_unavailable`; nothing has changed then.
 */
export async function migrateDatabase(
  { database, databaseCaFile: caFile }: Pick<Config, "database" | "databaseCaFile">,
  log: Log,
): Promise<Migrated> {
  switch (database.engine) {
    case "sqlite":
      return migrateFile(database.path);
    case "postgres": {
      const { migrateServer } = await import("./postgres_engine.ts");
      return await migrateServer({ server: database.server, caFile }, log);
    }
  }
}
