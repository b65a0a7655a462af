/** What an operator is told when a database on a server cannot be used from the beginning. */

import { DomainError, isDomainError } from "../../base/errors.ts";
import { ConnectionFailed, sqlState } from "./faults.ts";
import { describePostgres, type PostgresLocation } from "./location.ts";

/** What to do about a server that refuses the connection for good, by SQLSTATE. */
const REMEDIES: Record<string, string> = {
  "28000": "let pg_hba.conf admit this user from this machine, and let the role have LOGIN",
  "28P01": "put the right user and password into the URL, percent-encoded",
  "3D000": "create the database, or name another one in the URL",
  "42501": "GRANT CONNECT ON DATABASE to this user",
};

/**
 * The error to throw for one that the first use of a `PostgresPool` threw: it says which database it
 * is, and why in the words of who failed first, which hold no password.
 */
export function openFailure(location: PostgresLocation, error: unknown): unknown {
  if (!isDomainError(error, "storage_unavailable")) return error;
  const message = `The database ${describePostgres(location)} is ${error.data.fault}: ` +
    reasonOf(error);
  const remedy = error.cause instanceof ConnectionFailed
    ? REMEDIES[sqlState(error) ?? ""]
    : undefined;
  return remedy === undefined
    ? new DomainError(error.code, message, {
      ...error.data,
      cause: error,
      hints: hintsFor(location),
    })
    : new DomainError("database_unusable", message, { cause: error, hints: [remedy] });
}

function hintsFor({ isTls }: PostgresLocation): string[] {
  const hint =
    "see that its server runs and takes connections from here, and what DATABASE says of it";
  return isTls
    ? [
      hint,
      "its certificate must be for this name, and by an authority that this machine trusts or that " +
      "DATABASE_CA_FILE has",
    ]
    : [hint];
}

/** Some errors of the system have nothing but a code, and those of several attempts only those. */
function reasonOf(error: Error): string {
  if (error.cause instanceof Error) return reasonOf(error.cause);
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join("; ");
  return error.message || String((error as { code?: unknown }).code);
}
