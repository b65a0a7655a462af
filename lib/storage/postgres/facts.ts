/**
 * What a PostgreSQL server tells of itself to anybody, as far as it matters to who keeps something
 * there: one question a function, so that one that is refused keeps no other from being asked.
 */

import type { Statements } from "./transaction.ts";

async function ask<Row>(statements: Statements, sql: string): Promise<Row> {
  return (await statements.query<Row>(sql)).rows[0]!;
}

export interface Writability {
  /** It follows another server, and takes no writes until it is promoted. */
  isStandby: boolean;
  /** A setting keeps this role or this database from writing. */
  isReadOnly: boolean;
}

export function readWritability(statements: Statements): Promise<Writability> {
  return ask(
    statements,
    'SELECT pg_is_in_recovery() AS "isStandby", ' +
      `current_setting('default_transaction_read_only')::bool AS "isReadOnly"`,
  );
}

/** What is to be on a disk before a transaction is acknowledged. */
export interface Durability {
  /** `on`, `off`, `local`, `remote_write` or `remote_apply`. */
  commit: string;
  fsync: boolean;
  fullPageWrites: boolean;
}

export function readDurability(statements: Statements): Promise<Durability> {
  return ask(
    statements,
    `SELECT current_setting('synchronous_commit') AS commit, ` +
      `current_setting('fsync')::bool AS fsync, ` +
      `current_setting('full_page_writes')::bool AS "fullPageWrites"`,
  );
}

/** How a statement by itself sees what others do at the same time, such as `read committed`. */
export async function readIsolation(statements: Statements): Promise<string> {
  const sql = "SELECT current_setting('default_transaction_isolation') AS isolation";
  return (await ask<{ isolation: string }>(statements, sql)).isolation;
}

/** After how many milliseconds the server ends a statement by itself; 0 for never. */
export async function readStatementTimeout(statements: Statements): Promise<number> {
  const sql = "SELECT setting::int AS timeout FROM pg_settings WHERE name = 'statement_timeout'";
  return (await ask<{ timeout: number }>(statements, sql)).timeout;
}

/** The version of TLS in which the server is spoken to, by whoever speaks to it; `null` for none. */
export async function readTlsVersion(statements: Statements): Promise<string | null> {
  const sql = "SELECT max(version) AS version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
  return (await ask<{ version: string | null }>(statements, sql)).version;
}

/** How many connections there may be. */
export interface Room {
  /** To all databases, for who is no superuser. */
  ofServer: number;
  /** Of this role; -1 for any number, as with the next. */
  ofRole: number;
  /** To this database. */
  ofDatabase: number;
}

export function readRoom(statements: Statements): Promise<Room> {
  return ask(
    statements,
    "SELECT current_setting('max_connections')::int " +
      "- current_setting('superuser_reserved_connections')::int " +
      // since version 16
      `- coalesce(current_setting('reserved_connections', true)::int, 0) AS "ofServer", ` +
      `(SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS "ofRole", ` +
      `(SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS "ofDatabase"`,
  );
}

/** What its clock shows, in milliseconds since the epoch. */
export async function readClock(statements: Statements): Promise<number> {
  const sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now";
  return (await ask<{ now: number }>(statements, sql)).now;
}

/** The server's version for people, such as `15.8`. */
export async function readVersion(statements: Statements): Promise<string> {
  const sql = "SELECT split_part(current_setting('server_version'), ' ', 1) AS version";
  return (await ask<{ version: string }>(statements, sql)).version;
}
