/** The failures that callers tell apart, each with a stable code. */

/** The codes of the one error shape; `response.ts` gives each its HTTP status. */
export type ErrorCode =
  | "invalid_request"
  | "invalid_credentials"
  | "access_denied"
  | "not_found"
  | "method_not_allowed"
  | "request_timeout"
  | "already_registered"
  | "payload_too_large"
  | "unsupported_media_type"
  | "rate_limited"
  | "server_error"
  | "overloaded";

/**
 * An expected failure whose message may be shown to the client: one sentence that holds no secret,
 * no path and no library's words. `retryAfter` is in whole seconds.
 */
export class RequestError extends Error {
  override name = "RequestError";
  readonly code: ErrorCode;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, retryAfter?: number) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** Why the storage cannot be used just now. */
export type StorageFault = "locked" | "full" | "read-only" | "unreachable";

/** The storage cannot be used now and may be again later; nothing was written. */
export class StorageUnavailableError extends Error {
  override name = "StorageUnavailableError";
  readonly fault: StorageFault;

  constructor(fault: StorageFault, options?: ErrorOptions) {
    super(`The database is ${fault}`, options);
    this.fault = fault;
  }
}

/** A stored private key cannot be opened or does not belong to its row. */
export class KeyUnreadableError extends Error {
  override name = "KeyUnreadableError";
  readonly kid: number;

  constructor(kid: number, reason: string, options?: ErrorOptions) {
    super(`Key ${kid} is refused: ${reason}`, options);
    this.kid = kid;
  }
}

/** The process exit codes (`78` is `EX_CONFIG` of sysexits). */
export const EXIT = { failed: 1, usage: 2, config: 78 } as const;

/** A failure that ends the command: what is wrong, and in `hints` what to do about it. */
export class CommandError extends Error {
  override name = "CommandError";
  readonly exitCode: number;
  readonly hints: readonly string[];

  constructor(
    exitCode: number,
    message: string,
    hints: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.exitCode = exitCode;
    this.hints = hints;
  }
}
