/** The table `used_ids`, where what may be used once is remembered for all servers. */

import type { Statements } from "./transaction.ts";

/**
 * For how long something is remembered beyond its end, in seconds: the clocks of two servers may be
 * apart by the skew that tokens allow for, and by as much again.
 */
const MARGIN = 600;

/** How many that are over go with each that comes: the table has no more of them than live ones. */
const FORGOTTEN_AT_ONCE = 2;

/** False when it was used before. */
export async function use(
  statements: Statements,
  digest: Uint8Array,
  until: number,
): Promise<boolean> {
  const { count } = await statements.query(
    "WITH forgotten AS (DELETE FROM used_ids WHERE digest = ANY(ARRAY(SELECT digest FROM used_ids " +
      `WHERE until < extract(epoch FROM now()) - ${MARGIN} AND digest <> $1 ` +
      `ORDER BY until LIMIT ${FORGOTTEN_AT_ONCE} FOR UPDATE SKIP LOCKED))) ` +
      "INSERT INTO used_ids (digest, until) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    [digest, Math.ceil(until)],
  );
  return count === 1;
}
