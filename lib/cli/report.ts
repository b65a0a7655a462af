/** What a person at the terminal is told: `jwks-server: error: …`, and with each hint what to do. */

import { CommandError, EXIT, KeyUnreadableError, StorageUnavailableError } from "../base/errors.ts";
import { lowerFirst } from "./words.ts";

/** Writes the failure to standard error and gives the exit code. */
export function reportFailure(error: unknown): number {
  const { exitCode, message, hints } = toCommandError(error);
  const lines = [`error: ${message}`, ...hints.map((hint) => `hint: ${hint}`)];
  const text = lines.map((line) => `jwks-server: ${line}\n`).join("");
  Deno.stderr.writeSync(new TextEncoder().encode(text));
  return exitCode;
}

function toCommandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  if (error instanceof KeyUnreadableError) {
    return new CommandError(EXIT.config, lowerFirst(error.message), [
      "the row was changed from outside: restore a backup; nothing was changed",
    ]);
  }
  if (error instanceof StorageUnavailableError) {
    return new CommandError(EXIT.failed, lowerFirst(error.message), [
      "see that no other program holds the database, and that its disk has room and is writable",
    ]);
  }
  const details = error instanceof Error ? error.stack ?? error.message : String(error);
  return new CommandError(EXIT.failed, `unexpected: ${details}`, ["please report this"]);
}
