/** What two readings of a client are compared by. */

import type { ClientRecord } from "./records.ts";

/** Everything of a client but when it was used. */
export function versionOf({ user, policy, credentials }: ClientRecord): string {
  return JSON.stringify([
    [user.id, user.username, user.passwordHash, user.email, policy],
    credentials.map(({ id, type, kid, value, validUntil }) => [id, type, kid, value, validUntil]),
  ]);
}
