/** What an operator is told when a database on a server cannot be used from the beginning. */

import { DomainError, isDomainError } from "../../base/errors.ts";
import { ConnectionFailed, sqlState } from "./faults.ts";
import { describePostgres, type PostgresLocation } from "./location.ts";

/** What to do about a refusal, by SQLSTATE. */
const REFUSALS: Record<string, string> = {
  "28000": "let pg_hba.conf admit this user from this machine, and give the user LOGIN",
  "28P01": "put the right user and password into the URL, percent-encoded",
  "3D000": "create the database, or name another one in the URL",
  "42501": "GRANT CONNECT on the database to this user",
};

/** The error to throw for one that `PostgresPool` threw at the first use of it. */
export function openFailure(location: PostgresLocation, error: unknown): unknown {
  const place = describePostgres(location);
  const refusal = REFUSALS[sqlState(error) ?? ""];
  if (refusal !== undefined) {
    const message = `The database ${place} cannot be used: ${reasonOf(error)}`;
    return new DomainError("database_unusable", message, { cause: error, hints: [refusal] });
  }
  return isUnconnected(error) ? unreachable(location, error) : error;
}

function isUnconnected(error: unknown): error is DomainError {
  return isDomainError(error, "storage_unavailable") && error.cause instanceof ConnectionFailed;
}

function unreachable(location: PostgresLocation, error: DomainError): DomainError {
  const hints = ["see that the server runs there and can be reached from this machine"];
  if (location.isTls) {
    hints.push(
      "its certificate must be for this name, and by an authority that this machine trusts or that " +
        "DATABASE_CA_FILE holds",
    );
  }
  const message = `The database ${describePostgres(location)} is unreachable: ${reasonOf(error)}`;
  return new DomainError(error.code, message, { ...error.data, cause: error, hints });
}

/** The words of what is at the bottom of it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return reasonOf(error.cause);
  return error instanceof AggregateError ? error.errors.map(reasonOf).join("; ") : error.message;
}
