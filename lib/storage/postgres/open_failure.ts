/** What an operator is told when a database on a server cannot be used from the beginning. */

import { DomainError, isDomainError } from "../../base/errors.ts";
import { firstReason } from "../../base/first_reason.ts";
import { describePostgres, type PostgresLocation } from "./location.ts";
import { remediesOf, remedyOfRefusal } from "./remedies.ts";

/**
 * The error to throw for one that the first use of a `PostgresPool` threw: it says which database it
 * is, and why in the words of who failed first, which hold no password.
 */
export function openFailure(location: PostgresLocation, error: unknown): unknown {
  if (!isDomainError(error, "storage_unavailable")) return error;
  const message = `The database ${describePostgres(location)} is ${error.data.fault}: ` +
    firstReason(error);
  const remedy = remedyOfRefusal(error);
  if (remedy !== undefined) {
    return new DomainError("database_unusable", message, { cause: error, hints: [remedy] });
  }
  const hints = remediesOf(error, location);
  return new DomainError(error.code, message, { ...error.data, cause: error, hints });
}
