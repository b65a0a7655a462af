/** Failures of one of two storages, told apart by its name. */

import { DomainError, isDomainError } from "../base/errors.ts";

/**
 * The same failure with the storage's name, and why in the words of who failed first; any other error
 * as it is. It is named where it comes from: further up, it might be either storage's.
 */
export function namedFailure(name: string, error: unknown, hints?: readonly string[]): unknown {
  if (!isDomainError(error, "storage_unavailable")) return error;
  const reason = reasonOf(error);
  return new DomainError("failed", `The database ${name} is ${error.data.fault}${reason}`, {
    cause: error,
    hints: hints ?? error.hints,
  });
}

/** Some errors of the system have nothing but a code. */
function reasonOf({ cause }: Error): string {
  if (!(cause instanceof Error)) return "";
  const { code } = cause as { code?: unknown };
  return reasonOf(cause) || `: ${cause.message || String(code)}`;
}
