/** The table `servers`, where those that work on the database tell of themselves. */

import type { SeenServer, ServerRecord } from "../storage.ts";
import type { Statements } from "./transaction.ts";

/** By the database's clock, which all of them share; its column has milliseconds. */
const NOW = "(now() AT TIME ZONE 'UTC')";

/** That time as a number of milliseconds since the epoch. */
const SEEN_AT = '(extract(epoch FROM seen_at) * 1000)::bigint AS "seenAt"';

/** For how long a server is remembered that is not heard of. */
const IS_RECENT = `seen_at > ${NOW} - interval '1 day'`;

/** Puts what a server says in the place of what it said before, removes what is old, and gives the time. */
export async function tell(
  statements: Statements,
  { id, host, version, at, check, issuer, limitedAt }: ServerRecord,
): Promise<number> {
  const { rows } = await statements.query<{ seenAt: number }>(
    `WITH forgotten AS (DELETE FROM servers WHERE NOT (${IS_RECENT}) AND id <> $1) ` +
      "INSERT INTO servers (id, host, version, clock, check_value, issuer, limited_at, seen_at) " +
      `VALUES ($1, $2, $3, $4, $5, $6, $7, ${NOW}) ON CONFLICT (id) DO UPDATE SET host = excluded.host, ` +
      "version = excluded.version, clock = excluded.clock, " +
      "check_value = excluded.check_value, issuer = excluded.issuer, " +
      "limited_at = excluded.limited_at, seen_at = excluded.seen_at RETURNING " + SEEN_AT,
    [id, host, version, at, check, issuer, limitedAt],
  );
  return rows[0]!.seenAt;
}

export async function list(statements: Statements): Promise<SeenServer[]> {
  const { rows } = await statements.query<SeenServer>(
    "SELECT id, host, version, clock AS at, check_value AS check, issuer, " +
      'limited_at AS "limitedAt", ' +
      `${SEEN_AT} FROM servers WHERE ${IS_RECENT} ORDER BY seen_at DESC, id`,
  );
  return rows;
}

/** Removes those that have come to their end. */
export async function leave(statements: Statements, ids: readonly string[]): Promise<void> {
  await statements.query("DELETE FROM servers WHERE id = ANY($1::text[])", [ids]);
}
