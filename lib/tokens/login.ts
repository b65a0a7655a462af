/**
 * The one way to a token: authenticate, issue, record. This room says what a token is; it imports
 * `lib/accounts`, `lib/keys`, `lib/storage` and `lib/base`.
 */

import type { Accounts, Credentials } from "../accounts/accounts.ts";
import { DomainError } from "../base/errors.ts";
import type { ClientAddress } from "../base/ip_address.ts";
import type { IssuedToken, TokenIssuer } from "./token_issuer.ts";

export interface LoginParts {
  accounts: Accounts;
  issuer: TokenIssuer;
}

/** Who wants a token, from where, and of which kind. */
export interface LoginRequest {
  credentials: Credentials;
  client: ClientAddress;
  /** Whether the token is to be one that has expired. */
  isExpired: boolean;
}

export type Login = (request: LoginRequest) => Promise<IssuedToken>;

/** How often a user may have changed between check and record before it is given up. */
const ATTEMPTS = 3;

/** Makes the function that every route calls which gives a token. */
export function createLogin({ accounts, issuer }: LoginParts): Login {
  /**
   * A token for whoever these credentials belong to. When it is there, its row in the
   * authentication log is on the disk: no token without its row.
   *
   * @throws {DomainError} `invalid_credentials`, which is on record then; `overloaded`,
   * `storage_unavailable`, and `invalid_request` when expired tokens are switched off.
   */
  return async function login({ credentials, client, isExpired }) {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const user = await accounts.authenticate(credentials, client);
      const token = isExpired
        ? await issuer.issueExpired(user.username)
        : await issuer.issue(user.username);
      // Another login may have upgraded the hash: what was checked then has to be checked again.
      if (await accounts.recordLogin(user, client)) return token;
    }
    throw new DomainError("overloaded", "The user is being changed", { retryAfter: 1 });
  };
}
