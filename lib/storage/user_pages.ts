/** All users, a page at a time: there may be more of them than the memory holds. */

import type { RowId, UserRecord, UserStorage } from "./storage.ts";

/** Few: what outlives a collection of the young is kept for long. */
const PAGE = 100;

/** Every user in the order of ids. Who registers meanwhile may be among them or not. */
export async function* pagesOfUsers(
  storage: Pick<UserStorage, "listUsers">,
  limit = PAGE,
): AsyncGenerator<UserRecord[]> {
  let afterId: RowId | undefined;
  for (;;) {
    const users = await storage.listUsers({ afterId, limit });
    if (users.length > 0) yield users;
    if (users.length < limit) return;
    afterId = users.at(-1)!.id;
  }
}
