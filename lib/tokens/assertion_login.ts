/** Clients that authenticate by an assertion signed with a key of their own (RFC 7523 §2.2). */

import { type Accounts, type AuthenticatedClient, isDisabled } from "../accounts/accounts.ts";
import { parsePolicy } from "../accounts/client_policy.ts";
import { DomainError } from "../base/errors.ts";
import type { ClientAddress } from "../base/ip_address.ts";
import type { CredentialRecord } from "../storage/storage.ts";
import type { AssertionVerifier } from "./client_assertion.ts";
import type { ClientProof } from "./client_proof.ts";
import { VerificationError } from "./verification_error.ts";
import { importVerificationKey, type VerificationKey } from "./verification_key.ts";

export interface AssertionLoginParts {
  accounts: Accounts;
  assertions: AssertionVerifier;
}

type AssertionProof = Extract<ClientProof, { method: "assertion" }>;

/** A key of a client, with the credential that it is. */
interface ClientKey extends VerificationKey {
  credential: CredentialRecord;
}

/**
 * The client that an assertion is from. A refusal is put on record here, as that of a password is.
 *
 * @throws {DomainError} `invalid_credentials`, in the same words for an unknown client, a disabled
 * one and whatever is wrong with the assertion, with the reason as data for the log; `overloaded` when
 * it cannot be remembered.
 */
export async function authenticateByAssertion(
  { accounts, assertions }: AssertionLoginParts,
  proof: AssertionProof,
  from: ClientAddress,
): Promise<AuthenticatedClient> {
  try {
    return await verify(assertions, proof, accounts);
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    await accounts.authentication.recordRefusal(from);
    const { reason, message: detail } = error;
    const message = "The client assertion is not valid";
    throw new DomainError("invalid_credentials", message, { reason, detail });
  }
}

/** @throws {VerificationError} */
async function verify(
  assertions: AssertionVerifier,
  { assertion, clientId }: AssertionProof,
  accounts: Accounts,
): Promise<AuthenticatedClient> {
  const id = assertions.clientOf(assertion);
  if (clientId !== undefined && clientId !== id) {
    throw new VerificationError(
      "claims",
      "the assertion is of another client than client_id names",
    );
  }
  const record = await accounts.lookUp(id);
  if (record === undefined) {
    throw new VerificationError("unknown_client", "there is no client of that name");
  }
  if (isDisabled(record.user)) throw new VerificationError("disabled", "the client is disabled");
  const keys = await Promise.all(accounts.validKeys(record).map(toKey));
  const { credential } = await assertions.verify(assertion, keys, id);
  return {
    user: record.user,
    policy: parsePolicy(record.policy, record.user.username),
    credential,
  };
}

async function toKey(credential: CredentialRecord): Promise<ClientKey> {
  return { ...await importVerificationKey(JSON.parse(credential.value)), credential };
}
