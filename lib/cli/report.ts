/** What a person at the terminal is told: `jwks-server: error: …`, and with each hint what to do. */

import { DomainError, type ErrorCode } from "../base/errors.ts";
import { lowerFirst } from "../base/text.ts";
import { writeError } from "./output.ts";

/** The process exit codes (`78` is `EX_CONFIG` of sysexits). */
export const EXIT = { failed: 1, usage: 2, config: 78 } as const;

/** The exit code of each error that does not mean that the command simply failed. */
const EXIT_CODES: Partial<Record<ErrorCode, number>> = {
  usage: EXIT.usage,
  invalid_request: EXIT.usage,
  configuration: EXIT.config,
  secret_unusable: EXIT.config,
  database_unusable: EXIT.config,
  key_unreadable: EXIT.config,
};

/** The exit code of a command that ends with this error. */
export function exitCodeOf(error: unknown): number {
  return error instanceof DomainError ? EXIT_CODES[error.code] ?? EXIT.failed : EXIT.failed;
}

/** Writes the failure to standard error and gives the exit code. */
export function reportFailure(error: unknown): number {
  for (const line of describeFailure(error)) writeError(`jwks-server: ${line}`);
  return exitCodeOf(error);
}

function describeFailure(error: unknown): string[] {
  if (error instanceof DomainError) {
    return [`error: ${lowerFirst(error.message)}`, ...error.hints.map((hint) => `hint: ${hint}`)];
  }
  const details = error instanceof Error ? error.stack ?? error.message : String(error);
  const [first, ...stack] = details.split("\n");
  return [`error: unexpected: ${first}`, ...stack, "hint: please report this"];
}
