/**
 * What is told apart when something goes wrong, in every room: one kind of error. `lib/base` is
 * what all others stand on; it imports nothing of theirs.
 */

/** The stable codes. Each edge maps them once: `http/response` to HTTP, `cli/report` to exit codes. */
export type ErrorCode =
  // What a client did, and may be told.
  | "invalid_request"
  | "invalid_credentials"
  | "invalid_client"
  | "invalid_dpop_proof"
  | "unsupported_grant_type"
  | "invalid_scope"
  | "invalid_target"
  | "access_denied"
  | "not_found"
  | "method_not_allowed"
  | "request_timeout"
  | "already_registered"
  | "payload_too_large"
  | "unsupported_media_type"
  | "rate_limited"
  | "overloaded"
  // What the storage is not able to do just now, and may be later.
  | "storage_unavailable"
  // What an operator must mend before anything works.
  | "configuration"
  | "secret_unusable"
  | "database_unusable"
  | "key_unreadable"
  // What an operator asked for and cannot have.
  | "usage"
  | "key_refused"
  | "conflict"
  | "failed";

/** Why the storage cannot be used just now. */
export type StorageFault =
  | "locked"
  | "full"
  | "read-only"
  | "damaged"
  | "altered"
  | "unreachable";

/** What a code needs beside its sentence. */
export interface ErrorData {
  /** After how many whole seconds to try again. */
  retryAfter?: number;
  /** What is wrong with the storage. */
  fault?: StorageFault;
  /** The number of the row of `keys` that is meant. */
  row?: string;
  /** What is wrong with it; of somebody who is refused, why, in a stable word for the log alone. */
  reason?: string;
  /** The same as a clause that quotes nothing. */
  detail?: string;
}

export interface DomainErrorOptions extends ErrorOptions, ErrorData {
  /** What to do about it, for an operator; a client never sees them. */
  hints?: readonly string[];
}

/**
 * An expected failure. The message is one sentence; with a code of the first group it may be shown
 * to the client, and so holds no secret, no path and no library's words.
 */
export class DomainError extends Error {
  override name = "DomainError";
  readonly code: ErrorCode;
  readonly hints: readonly string[];
  readonly data: Readonly<ErrorData>;

  constructor(code: ErrorCode, message: string, options: DomainErrorOptions = {}) {
    const { hints = [], cause, ...data } = options;
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.hints = hints;
    this.data = data;
  }
}

/** Whether `error` is a `DomainError`, and of that code where one is named. */
export function isDomainError(error: unknown, code?: ErrorCode): error is DomainError {
  return error instanceof DomainError && (code === undefined || error.code === code);
}

/**
 * The storage cannot be used now and may be again later. Nothing was written, unless the answer to a
 * change was lost on its way (`unreachable`).
 */
export function storageUnavailable(fault: StorageFault, cause?: unknown): DomainError {
  return new DomainError("storage_unavailable", `The database is ${fault}`, {
    fault,
    cause,
    hints: [
      "see that no other program holds the database, and that its disk is sound, writable and has room",
    ],
  });
}

/** A stored private key cannot be opened or does not belong to its row. */
export function keyUnreadable(row: number | string, reason: string, cause?: unknown): DomainError {
  return new DomainError("key_unreadable", `Row ${row} of the table keys is refused: ${reason}`, {
    row: String(row),
    reason,
    cause,
    hints: [
      "the row was changed from outside: restore a backup, or revoke the key, which makes its tokens " +
      `invalid: jwks-server keys revoke ${row}; nothing was changed`,
    ],
  });
}
