/** What `POST /token` asks for (RFC 6749 §4.4.2, RFC 8707). */

import { DomainError } from "../base/errors.ts";
import { validate } from "./parsed_body.ts";
import { TokenForm } from "./schemas.ts";

export interface TokenRequest {
  /** As it was sent; `undefined` when it was not. */
  scope: string | undefined;
  /** The services that the token is for; none when the request names none. */
  audiences: readonly string[];
}

/**
 * Reads a request for a token of the client itself, the only kind there is.
 *
 * @throws {DomainError} `invalid_request`, `unsupported_grant_type`, or `invalid_target` for a
 * `resource` that is no absolute URI without a fragment (RFC 8707 §2).
 */
export function readTokenRequest(form: URLSearchParams): TokenRequest {
  const { grant_type, scope, resource, audience } = validate(TokenForm, Object.fromEntries(form));
  if (grant_type !== "client_credentials") {
    throw new DomainError("unsupported_grant_type", "grant_type must be client_credentials");
  }
  if (resource && (!URL.canParse(resource) || resource.includes("#"))) {
    throw new DomainError("invalid_target", "resource must be an absolute URI without a fragment");
  }
  if (resource && audience && resource !== audience) {
    throw new DomainError("invalid_target", "resource and audience name two services");
  }
  const wanted = resource ?? audience;
  return { scope, audiences: wanted === undefined ? [] : [wanted] };
}
