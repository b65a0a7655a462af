/** What is said when the program cannot be loaded: its native Argon2 may be refused by the system. */

import { DomainError } from "../base/errors.ts";
import { reportFailure } from "./report.ts";

/** Reports what kept the program from being loaded, and gives the exit code. */
export function reportLoadFailure(error: unknown): number {
  return reportFailure(explainLoadFailure(error));
}

/**
 * The error as an operator can act on it. An executable unpacks the addon before it loads it, which
 * a system that mounts its temporary directories narrowly forbids; the addon's own words are about
 * npm, which nobody has used.
 */
export function explainLoadFailure(error: unknown): unknown {
  if (!(error instanceof Error) || !/native binding/i.test(error.message)) return error;
  const reason = reasonOf(error);
  return new DomainError(
    "configuration",
    `The native Argon2 cannot be loaded${reason === undefined ? "" : `: ${reason}`}`,
    {
      cause: error,
      hints: [
        "TMPDIR (else /tmp) must be writable and not mounted noexec: the executable unpacks it there",
        "the system's C library must be glibc: musl, as in Alpine, does not load it",
      ],
    },
  );
}

/** The one failed attempt of many that says more than that a file is not there. */
function reasonOf({ cause }: Error): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  const isTelling = !/^Cannot find (?:module|native)/.test(cause.message);
  return isTelling ? cause.message.split("\n")[0] : reasonOf(cause);
}
