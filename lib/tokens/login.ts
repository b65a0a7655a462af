/**
 * The one way in: authenticate, do what was asked for, record. This room says what a token is; it
 * imports `lib/accounts`, `lib/keys`, `lib/storage` and `lib/base`.
 */

import type { Accounts, AuthenticatedClient } from "../accounts/accounts.ts";
import { DomainError } from "../base/errors.ts";
import type { ClientAddress } from "../base/ip_address.ts";
import type { AssertionVerifier } from "./client_assertion.ts";
import type { ClientProof } from "./client_proof.ts";
import { authenticateByAssertion } from "./assertion_login.ts";

export interface LoginParts {
  accounts: Accounts;
  assertions: AssertionVerifier;
}

/** Does something for the client that has authenticated. */
export type Act<Result> = (client: AuthenticatedClient) => Promise<Result>;

export type Login = <Result>(
  proof: ClientProof,
  from: ClientAddress,
  act: Act<Result>,
) => Promise<Result>;

/** How often a client may have changed between check and record before it is given up. */
const ATTEMPTS = 3;

/** Makes the function that every route calls which asks who the client is. */
export function createLogin({ accounts, assertions }: LoginParts): Login {
  const authenticate = (proof: ClientProof, from: ClientAddress) =>
    proof.method === "password"
      ? accounts.authentication.authenticate(proof.credentials, from)
      : authenticateByAssertion({ accounts, assertions }, proof, from);

  /**
   * What `act` gives for whoever this proof is of. When it is there, its row in the authentication
   * log is on the disk: no token without its row.
   *
   * @throws {DomainError} `invalid_credentials`, which is on record then; `overloaded`,
   * `storage_unavailable`, and whatever `act` throws.
   */
  return async function login(proof, from, act) {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const client = await authenticate(proof, from);
      const result = await act(client);
      // Another login may have upgraded the hash: what was checked then has to be checked again.
      if (await accounts.authentication.recordLogin(client, from)) return result;
      if (proof.method === "assertion") break; // it was used, and cannot be shown again
    }
    throw new DomainError("overloaded", "The client is being changed", { retryAfter: 1 });
  };
}
