/**
 * The rate limit: who may send how many requests. This room decides and keeps count; what is
 * counted and what is answered is `lib/http`'s. It imports `lib/base` alone.
 */

/** Whether a request is admitted, and what its client may still do. Times are in milliseconds. */
export interface Admission {
  admitted: boolean;
  /** Requests that would still be admitted now. */
  remaining: number;
  /** Until a request would be admitted; 0 while some remain. */
  retryIn: number;
  /** Until the oldest counted request leaves the window. */
  resetIn: number;
  /** What a limiter that several servers share knows an admitted request by. */
  ticket?: string;
}

export interface Limiter {
  /** Requests of one client that are admitted in any window. */
  readonly limit: number;
  /** In milliseconds. */
  readonly window: number;
  /**
   * Decides on one request of `client` that arrives now. What decides in memory answers at once:
   * this stands before every login.
   *
   * @throws {DomainError} `overloaded` when nothing can decide.
   */
  admit(client: string): Admission | Promise<Admission>;
  /** Takes back the client's newest admission, as if it had not been asked for. */
  withdraw(client: string, admission: Admission): void;
}
