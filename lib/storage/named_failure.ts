/** Failures of one of two storages, told apart by its name. */

import { DomainError, isDomainError } from "../base/errors.ts";

/** The same failure with the storage's name, and with its reason as a hint; any other as it is. */
export function namedFailure(name: string, error: unknown): unknown {
  if (!isDomainError(error, "storage_unavailable")) return error;
  const reason = reasonOf(error);
  return new DomainError("failed", `The database ${name} is ${error.data.fault}`, {
    cause: error,
    hints: reason === undefined ? error.hints : [reason],
  });
}

/** In the words of whoever was the first to fail. */
function reasonOf({ cause }: Error): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  return reasonOf(cause) ?? (cause.message || undefined);
}
