/** What an operator is told when a database on a server cannot be used from the beginning. */

import { firstReason } from "../../base/first_reason.ts";
import { DomainError, isDomainError, type StorageFault } from "../../base/errors.ts";
import { ConnectionFailed, sqlState } from "./faults.ts";
import { describePostgres, type PostgresLocation } from "./location.ts";

/** What to do about a server that refuses the connection for good, by SQLSTATE. */
const REMEDIES: Record<string, string> = {
  "28000": "let pg_hba.conf admit this user from this machine, and let the role have LOGIN",
  "28P01": "put the right user and password into the URL, percent-encoded",
  "3D000": "create the database, or name another one in the URL",
  "42501": "GRANT CONNECT ON DATABASE to this user",
};

const HINTS: Record<StorageFault, string> = {
  unreachable:
    "see that its server runs and takes connections from here, and what DATABASE says of it",
  "read-only": "let DATABASE lead to the primary, or let this role write",
  full: "make room on the disk of its server",
  locked: "see in pg_stat_activity what holds its tables, and try again",
  damaged: "see its server's log, and restore a backup",
  altered: "a table, a column or a privilege is missing: jwks-server doctor names it",
};

/**
 * The error to throw for one that the first use of a `PostgresPool` threw: it says which database it
 * is, and why in the words of who failed first, which hold no password.
 */
export function openFailure(location: PostgresLocation, error: unknown): unknown {
  if (!isDomainError(error, "storage_unavailable")) return error;
  const message = `The database ${describePostgres(location)} is ${error.data.fault}: ` +
    firstReason(error);
  const remedy = error.cause instanceof ConnectionFailed
    ? REMEDIES[sqlState(error) ?? ""]
    : undefined;
  return remedy === undefined
    ? new DomainError(error.code, message, {
      ...error.data,
      cause: error,
      hints: hintsFor(error.data.fault!, location),
    })
    : new DomainError("database_unusable", message, { cause: error, hints: [remedy] });
}

/** What to do about a fault; a certificate that is not trusted makes it unreachable. */
function hintsFor(fault: StorageFault, { isTls }: PostgresLocation): string[] {
  return isTls && fault === "unreachable"
    ? [
      HINTS[fault],
      "its certificate must be for this name, and by an authority that this machine trusts or that " +
      "DATABASE_CA_FILE has",
    ]
    : [HINTS[fault]];
}
