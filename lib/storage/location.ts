/** Where the database is: which engine keeps it, and how that finds it. */

import { resolve } from "node:path";
import { describePostgres, type PostgresLocation } from "./postgres/location.ts";

export type DatabaseLocation =
  | { engine: "sqlite"; path: string }
  | { engine: "postgres"; server: PostgresLocation };

/** Names a database to people; never with a password. */
export function describeLocation(location: DatabaseLocation): string {
  return location.engine === "sqlite" ? location.path : describePostgres(location.server);
}

/** Whether two locations are one database, as far as their names tell. */
export function isSameLocation(one: DatabaseLocation, other: DatabaseLocation): boolean {
  if (one.engine === "sqlite") {
    return other.engine === "sqlite" && realPath(one.path) === realPath(other.path);
  }
  return other.engine === "postgres" &&
    one.server.host === other.server.host &&
    one.server.port === other.server.port &&
    one.server.database === other.server.database;
}

/** Where links lead, if the file is there. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return resolve(path);
  }
}
