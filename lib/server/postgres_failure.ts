/** What is said of a PostgreSQL server that cannot be used. */

import { DomainError, isDomainError, type StorageFault } from "../base/errors.ts";
import { describePostgres, type PostgresLocation } from "../storage/postgres/location.ts";

/** What to do about it. */
const HINTS: Record<StorageFault, string> = {
  unreachable:
    "see that its server runs and takes connections from here, and what DATABASE says of it",
  "read-only": "let DATABASE lead to the primary, or let this role write",
  full: "make room on the disk of its server",
  locked: "see what holds its tables, in pg_stat_activity, and try again",
  damaged: "see its server's log, and restore a backup",
  altered: "jwks-server doctor names what is missing: a table, a column, or a privilege",
};

/** Says which server it is, and in its own words why it cannot be used: they hold no password. */
export function named(server: PostgresLocation, error: unknown): unknown {
  if (!isDomainError(error, "storage_unavailable")) return error;
  const { fault } = error.data;
  const message = `The database ${describePostgres(server)} is ${fault}: ${reasonOf(error)}`;
  return new DomainError("storage_unavailable", message, {
    ...error.data,
    cause: error,
    hints: [HINTS[fault!]],
  });
}

/** What is said where a command finds a database without this program's tables. */
export function emptyDatabase(server: PostgresLocation): DomainError {
  return new DomainError(
    "database_unusable",
    `The database ${describePostgres(server)} has no tables of jwks-server yet`,
    {
      hints: ["set DATABASE to that of the servers; jwks-server init fills one, or a first start"],
    },
  );
}

/** What is at the bottom of an error. */
function reasonOf(error: Error): string {
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const { code } = error as { code?: unknown };
  return error.message || String(code);
}
