/** Clients that others change between the check of a credential and what it was checked for. */

import { DomainError } from "../base/errors.ts";
import type { ClientRecord } from "../storage/storage.ts";
import type { AuthenticatedClient } from "./authentication.ts";

/** A client as it was when its credential was checked. */
export type CheckedClient = Pick<AuthenticatedClient, "user" | "credential">;

/** Whether a client is what it was then, its credential included. */
export function isAsChecked(
  { user, credentials }: ClientRecord,
  { user: { passwordHash }, credential }: CheckedClient,
): boolean {
  if (user.passwordHash !== passwordHash) return false;
  if (credential === undefined) return true;
  return credentials.some(({ id, value }) => id === credential.id && value === credential.value);
}

/** What is said to a client that must show its credential again. */
export function beingChanged(): DomainError {
  return new DomainError("overloaded", "The client is being changed", { retryAfter: 1 });
}
