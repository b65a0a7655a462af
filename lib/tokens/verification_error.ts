/** The one error of tokens and keys from elsewhere that do not verify. */

/** Why a token or a key is refused; stable, so that each caller maps it to its own answer. */
export type VerificationReason =
  /** It is not a compact JWS of JSON objects, too long, or has a header that is not understood. */
  | "malformed"
  /** Its algorithm is none, symmetric, not known, or not the key's. */
  | "algorithm"
  /** A JWK is not a public key that may verify here. */
  | "key"
  /** No key is known by what the header says, or it does not say which. */
  | "unknown_key"
  | "signature"
  /** `exp` is over, or `iat` too long ago. */
  | "expired"
  /** `nbf` or `iat` lies ahead. */
  | "not_yet"
  /** Another claim, or the type, is not as it must be. */
  | "claims"
  /** Its `jti` was used before. */
  | "replayed"
  /** There is no client of the name that it claims. */
  | "unknown_client"
  /** That client may not log in. */
  | "disabled";

/**
 * A token, or a key, that does not verify. The message is a clause that quotes nothing of the token
 * and may be shown to whoever sent it.
 */
export class VerificationError extends Error {
  override name = "VerificationError";
  readonly reason: VerificationReason;

  constructor(reason: VerificationReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
