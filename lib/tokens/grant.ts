/** What a client's policy makes of a request for a token. */

import type { AuthenticatedClient } from "../accounts/accounts.ts";
import { grantAudience, grantScope } from "../accounts/client_policy.ts";
import { DomainError } from "../base/errors.ts";
import type { TokenGrant } from "./token_payload.ts";

/** What is asked for; what is left out is as the policy says. */
export interface TokenWish {
  /** The parameter `scope` as it was sent. */
  scope?: string | undefined;
  /** The services that the token is to be for. */
  audiences?: readonly string[];
  /** The thumbprint of the key that the token is to be bound to (RFC 9449 §6). */
  jkt?: string | undefined;
}

/**
 * What the token of this client says.
 *
 * @throws {DomainError} `invalid_scope` or `invalid_target` when it asks for more than its policy
 * allows; `invalid_dpop_proof` when its tokens must be bound to a key and none is proven.
 */
export function grantFor(
  { policy }: Pick<AuthenticatedClient, "policy">,
  { scope, audiences = [], jkt }: TokenWish,
  defaultAudience: string,
): TokenGrant {
  if (policy.requireDpop && jkt === undefined) {
    throw new DomainError(
      "invalid_dpop_proof",
      "The tokens of this client must be bound to a key: a DPoP proof is missing",
    );
  }
  const scopes = grantScope(policy, scope);
  const [first, ...others] = grantAudience(policy, audiences, defaultAudience);
  return {
    audience: others.length === 0 ? first! : [first!, ...others],
    scope: scopes.length === 0 ? undefined : scopes.join(" "),
    claims: policy.claims,
    tokenTtl: policy.tokenTtl,
    jkt,
  };
}
