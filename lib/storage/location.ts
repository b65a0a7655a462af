/** Where the database is: which engine keeps it, and how that finds it. */

import { describePostgres, type PostgresLocation } from "./postgres/location.ts";

export type DatabaseLocation =
  | { engine: "sqlite"; path: string }
  | { engine: "postgres"; server: PostgresLocation };

/** Names a database to people; never with a password. */
export function describeLocation(location: DatabaseLocation): string {
  return location.engine === "sqlite" ? location.path : describePostgres(location.server);
}
