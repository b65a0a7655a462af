/** Clients that others change between the check of a credential and what it was checked for. */

import { DomainError } from "../base/errors.ts";
import type { ClientRecord } from "../storage/storage.ts";
import type { AuthenticatedClient } from "./authentication.ts";

/** Whether a client is as it was when it authenticated, its credential included. */
export function isAsChecked(
  { user, credentials }: ClientRecord,
  { user: { passwordHash }, credential }: Pick<AuthenticatedClient, "user" | "credential">,
): boolean {
  if (user.passwordHash !== passwordHash) return false;
  if (credential === undefined) return true;
  return credentials.some(({ id, value }) => id === credential.id && value === credential.value);
}

/** What is said to a client that must show its credential again. */
export function beingChanged(): DomainError {
  return new DomainError("overloaded", "The client is being changed", { retryAfter: 1 });
}
