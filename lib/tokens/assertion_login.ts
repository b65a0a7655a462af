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
 * one and whatever is wrong with the assertion; `overloaded` when it cannot be remembered.
 */
export async function authenticateByAssertion(
  { accounts, assertions }: AssertionLoginParts,
  proof: AssertionProof,
  from: ClientAddress,
): Promise<AuthenticatedClient> {
  const found = await verified(assertions, proof, accounts);
  if (found !== undefined) return found;
  await accounts.authentication.recordRefusal(from);
  throw new DomainError("invalid_credentials", "The client assertion is not valid");
}

async function verified(
  assertions: AssertionVerifier,
  { assertion, clientId }: AssertionProof,
  accounts: Accounts,
): Promise<AuthenticatedClient | undefined> {
  try {
    const id = assertions.clientOf(assertion);
    if (clientId !== undefined && clientId !== id) return undefined;
    const record = await accounts.lookUp(id);
    if (record === undefined || isDisabled(record.user)) return undefined;
    const keys = await Promise.all(accounts.validKeys(record).map(toKey));
    const { credential } = await assertions.verify(assertion, keys, id);
    return {
      user: record.user,
      policy: parsePolicy(record.policy, record.user.username),
      credential,
    };
  } catch (error) {
    if (error instanceof VerificationError) return undefined;
    throw error;
  }
}

async function toKey(credential: CredentialRecord): Promise<ClientKey> {
  return { ...await importVerificationKey(JSON.parse(credential.value)), credential };
}
