/** Why something failed, in the words of who failed first. */

/** Some errors of the system have nothing but a code, and those of several attempts only those. */
export function firstReason(error: Error): string {
  if (error.cause instanceof Error) return firstReason(error.cause);
  if (error instanceof AggregateError) return error.errors.map(firstReason).join("; ");
  return error.message || String((error as { code?: unknown }).code ?? error.name);
}
