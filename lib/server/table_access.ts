/** The tables of a database, wherever it is: as a copy is made of them, or written into them. */

import type { DatabaseLocation } from "../storage/location.ts";
import * as source from "../storage/sqlite/table_reader.ts";
import * as target from "../storage/sqlite/table_target.ts";
import type { SettingNames } from "../storage/postgres/remedies.ts";
import type { ReadTables, WriteTables } from "../storage/tables.ts";

/** How a copy is made of a database and written into one. */
export interface TableAccess {
  read: ReadTables;
  write: WriteTables;
}

/** What is to be known of a server beside where it is. */
export interface ServerTrust {
  /** Certificates, as PEM, by which it is known in place of those of the system. */
  ca: string | undefined;
  /** By what an operator has named the database, if not as a server's own. */
  settings?: SettingNames;
}

export async function tablesAt(
  database: DatabaseLocation,
  trust: ServerTrust,
): Promise<TableAccess> {
  switch (database.engine) {
    case "sqlite":
      return {
        read: (body) => source.readTables(database.path, body),
        write: (body) => target.writeTables(database.path, body),
      };
    case "postgres": {
      // Other commands need neither the memory nor the time that the driver takes.
      const { readTables, writeTables } = await import("../storage/postgres/table_access.ts");
      const server = { location: database.server, ...trust };
      return {
        read: (body) => readTables(server, body),
        write: (body) => writeTables(server, body),
      };
    }
  }
}
