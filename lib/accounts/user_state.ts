/** Whether a user is disabled, as it stands in the row. */

import type { UserRecord } from "../storage/storage.ts";

/**
 * What stands before the hash of a disabled user. No password has such a hash, so that whoever only
 * knows how to check passwords refuses it, too; the hash behind it survives for `enable`.
 */
const DISABLED = "!";

type Row = Pick<UserRecord, "passwordHash">;

/** Whether a user may not authenticate. */
export function isDisabled({ passwordHash }: Row): boolean {
  return passwordHash.startsWith(DISABLED);
}

/** The hash of a user's current password, disabled or not. */
export function hashOf(user: Row): string {
  return isDisabled(user) ? user.passwordHash.slice(DISABLED.length) : user.passwordHash;
}

/** What to write into the row of a user with this hash. */
export function rowHash(hash: string, disabled: boolean): string {
  return disabled ? `${DISABLED}${hash}` : hash;
}
