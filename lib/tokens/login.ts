/**
 * The one way in: authenticate, do what was asked for, record. This room says what a token is; it
 * imports `lib/accounts`, `lib/keys`, `lib/storage` and `lib/base`.
 */

import { type Accounts, type AuthenticatedClient, beingChanged } from "../accounts/accounts.ts";
import type { ClientAddress } from "../base/ip_address.ts";
import type { KeyRing } from "../keys/key_ring.ts";
import type { AssertionVerifier } from "./client_assertion.ts";
import type { ClientProof } from "./client_proof.ts";
import { authenticateByAssertion } from "./assertion_login.ts";

export interface LoginParts {
  accounts: Accounts;
  assertions: AssertionVerifier;
  /** What is known of the keys that `Act` signs and verifies with. */
  ring: Pick<KeyRing, "revision" | "catchUp">;
}

/** Answers the client that has authenticated. It may be asked again, and its last answer counts. */
export type Act<Result> = (client: AuthenticatedClient) => Promise<Result>;

export type Login = <Result>(
  proof: ClientProof,
  from: ClientAddress,
  act: Act<Result>,
) => Promise<Result>;

/** How often a client may have changed between check and record before it is given up. */
const ATTEMPTS = 3;

/** Makes the function that every route calls which asks who the client is. */
export function createLogin({ accounts, assertions, ring }: LoginParts): Login {
  const authenticate = (proof: ClientProof, from: ClientAddress) =>
    proof.method === "password"
      ? accounts.authentication.authenticate(proof.credentials, from)
      : authenticateByAssertion({ accounts, assertions }, proof, from);

  /**
   * What `act` gives for whoever this proof is of. When it is there, its row in the authentication
   * log is on the disk: no token without its row. The row's statement also tells whether the keys
   * have changed meanwhile; then `act` is asked again. So a key that was revoked before the request
   * came never signs for it, and no storage is asked before each signature.
   *
   * @throws {DomainError} `invalid_credentials`, which is on record then; `overloaded`,
   * `storage_unavailable`, and whatever `act` throws.
   */
  return async function login(proof, from, act) {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const client = await authenticate(proof, from);
      const known = ring.revision;
      const result = await act(client);
      const revision = await accounts.authentication.recordLogin(client, from);
      if (revision === known) return result;
      if (revision !== undefined) {
        await ring.catchUp(revision);
        return await act(client);
      }
      // Another login may have upgraded the hash: what was checked then has to be checked again.
      if (proof.method === "assertion") break; // it was used, and cannot be shown again
    }
    throw beingChanged();
  };
}
