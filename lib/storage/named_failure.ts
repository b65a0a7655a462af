/** Failures of one of two storages, told apart by its name. */

import { DomainError, isDomainError } from "../base/errors.ts";
import { firstReason } from "../base/first_reason.ts";

/**
 * The same failure with the storage's name, and why in the words of who failed first; any other error
 * as it is. It is named where it comes from: further up, it might be either storage's.
 */
export function namedFailure(name: string, error: unknown, hints?: readonly string[]): unknown {
  if (!isDomainError(error, "storage_unavailable")) return error;
  const reason = error.cause instanceof Error ? `: ${firstReason(error.cause)}` : "";
  return new DomainError("failed", `The database ${name} is ${error.data.fault}${reason}`, {
    cause: error,
    hints: hints ?? error.hints,
  });
}
