/** Who watches what the routes do. Nothing that it is told is a URL, a client or a key. */

/** How an authentication ended. */
export type AuthenticationOutcome =
  | "succeeded"
  /** The credential was not right, or the DPoP proof beside it. */
  | "refused"
  /** It was right, and the client asked for what its policy does not allow. */
  | "denied"
  /** It was not checked: the name was tried too often. */
  | "limited"
  /** It was not checked, or not to its end: there was too much to do. */
  | "overloaded"
  /** The database, or something else, did not work. */
  | "failed";

/** By what a token was asked for. */
export type TokenGrantName = "password" | "expired" | "client_credentials" | "test";

export interface Observer {
  /** A request was answered, so many milliseconds after it came. */
  answered(request: Request, status: number, milliseconds: number): void;
  /** A request was over the limit. */
  limited(request: Request): void;
  authenticated(outcome: AuthenticationOutcome): void;
  /** A token was issued, signed by this algorithm. */
  issued(grant: TokenGrantName, alg: string): void;
}
