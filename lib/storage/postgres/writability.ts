/** Whether a login could be put on record, found out without a login. */

import type { Statements } from "./transaction.ts";

/**
 * A message in the write-ahead log, which is on the disk when it is answered, beside statements that
 * would read and write what a login does if they found a row: a server that is read-only refuses
 * them, and so does one that lacks a table or a privilege, or where a table is locked. They hold up
 * nobody: what they hold is what a login holds, and no row.
 */
const WRITE_NOTHING = "WITH state AS (UPDATE key_state SET version = version WHERE false), " +
  "seen AS (UPDATE users SET last_login = NULL WHERE false), " +
  "used AS (UPDATE client_credentials SET last_used = NULL WHERE false), " +
  "logged AS (INSERT INTO auth_logs (request_ip) SELECT '' WHERE false), " +
  "remembered AS (INSERT INTO used_ids (digest, until) SELECT '', 0 WHERE false), " +
  "forgotten AS (DELETE FROM used_ids WHERE false) " +
  "SELECT pg_logical_emit_message(true, 'jwks-server', '') " +
  "WHERE NOT EXISTS (SELECT FROM client_policies WHERE false)";

export async function assertWritable(statements: Statements): Promise<void> {
  await statements.query(WRITE_NOTHING);
}
