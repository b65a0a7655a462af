/** What state a database's schema is in, by a look that changes nothing. */

import { DomainError } from "../../base/errors.ts";
import { MIGRATIONS_COLUMNS, MIGRATIONS_TABLE, SCHEMA_VERSION, TABLES } from "./schema.ts";
import type { Statements } from "./transaction.ts";

/** The oldest PostgreSQL that this program's statements are written for, as it numbers itself. */
const OLDEST = 130_000;

/** What is found before any table is asked. */
interface Found {
  server: number;
  serverVersion: string;
  encoding: string;
  database: string;
  role: string;
}

const SELECT_FOUND = "SELECT current_setting('server_version_num')::int AS server, " +
  `current_setting('server_version') AS "serverVersion", ` +
  "current_setting('server_encoding') AS encoding, current_database() AS database, " +
  "current_user AS role";

export interface SchemaState {
  /** How many migrations were applied; 0 where there is nothing yet. */
  version: number;
  /** Names for people. */
  database: string;
  role: string;
}

/**
 * Looks at the database that `statements` go to.
 *
 * @throws {DomainError} `database_unusable` when this program cannot work with what is there: an old
 * PostgreSQL, another program's tables, a newer schema, a table that is missing, or a role without
 * the privileges to use them.
 */
export async function readSchemaState(statements: Statements): Promise<SchemaState> {
  const { rows: [found] } = await statements.query<Found>(SELECT_FOUND);
  const { database, role } = found!;
  assertServer(found!);
  const tables = await tablesIn(statements);
  const isOwn = await hasMigrations(statements);
  if (isOwn) await assertPrivileges(statements, found!);
  const version = isOwn ? await versionIn(statements) : 0;
  if (version === 0) assertNoTables(database, tables);
  else {
    assertKnown(database, version);
    assertTables(database, tables);
  }
  return { version, database, role };
}

function assertServer({ server, serverVersion, encoding, database }: Found): void {
  if (server < OLDEST) {
    throw new DomainError(
      "database_unusable",
      `The database ${database} is of PostgreSQL ${serverVersion}, and 13 or newer is needed`,
      { hints: ["nothing was changed: upgrade the server"] },
    );
  }
  if (encoding !== "UTF8") {
    throw new DomainError(
      "database_unusable",
      `The database ${database} has the encoding ${encoding}, and UTF8 is needed`,
      { hints: ["make another: createdb --encoding=UTF8 --template=template0 <name>"] },
    );
  }
}

/**
 * The tables of the names in `$1` that are meant without saying where, as the catalogs hold them. What
 * `to_regclass` finds is no part of a snapshot, and not always the newest: of the tables that another
 * server has made a moment ago, it may miss some.
 */
const VISIBLE =
  "(SELECT DISTINCT ON (relname) pg_class.oid, relname AS name, quote_ident(nspname) AS schema " +
  "FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace " +
  "WHERE relname = ANY ($1::name[]) AND nspname = ANY (current_schemas(false)) " +
  "ORDER BY relname, array_position(current_schemas(false), nspname)) AS visible";

async function tablesIn(statements: Statements): Promise<string[]> {
  const own = [...TABLES, MIGRATIONS_TABLE];
  const sql = `SELECT name FROM ${VISIBLE}`;
  const { rows } = await statements.query<{ name: string }>(sql, [own]);
  return own.filter((name) => rows.some((row) => row.name === name));
}

/** Whether migrations are counted here by this program: others have a table of that name, too. */
async function hasMigrations(statements: Statements): Promise<boolean> {
  const { rows } = await statements.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute JOIN ${VISIBLE} ON visible.oid = attrelid ` +
      "WHERE attnum > 0 AND NOT attisdropped",
    [[MIGRATIONS_TABLE]],
  );
  const names = rows.map(({ name }) => name);
  return MIGRATIONS_COLUMNS.every((name) => names.includes(name));
}

async function versionIn(statements: Statements): Promise<number> {
  const sql = `SELECT coalesce(max(version), 0) AS version FROM ${MIGRATIONS_TABLE}`;
  return (await statements.query<{ version: number }>(sql)).rows[0]!.version;
}

function assertNoTables(database: string, tables: readonly string[]): void {
  if (tables.length === 0) return;
  throw new DomainError(
    "database_unusable",
    `The database ${database} has tables that jwks-server did not make: ${tables.join(", ")}`,
    { hints: ["nothing was changed: give it a database of its own, made with createdb"] },
  );
}

/** The release before this one's successor works on what that has migrated. */
function assertKnown(database: string, version: number): void {
  if (version <= SCHEMA_VERSION + 1) return;
  throw new DomainError(
    "database_unusable",
    `The database ${database} has schema version ${version}, and this program knows ` +
      `${SCHEMA_VERSION} and works with ${SCHEMA_VERSION + 1}`,
    { hints: ["nothing was changed: start the newer jwks-server that migrated it"] },
  );
}

function assertTables(database: string, tables: readonly string[]): void {
  const missing = TABLES.filter((name) => !tables.includes(name));
  if (missing.length === 0) return;
  throw new DomainError(
    "database_unusable",
    `The database ${database} lacks the table ${missing.join(" and the table ")}`,
    { hints: ["nothing was changed: restore a backup"] },
  );
}

/** The migrations need only be read. */
async function assertPrivileges(
  statements: Statements,
  { database, role }: Found,
): Promise<void> {
  const { rows } = await statements.query<{ name: string; schema: string }>(
    `SELECT DISTINCT name, schema FROM ${VISIBLE}, ` +
      "unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege " +
      "WHERE NOT has_table_privilege(oid, privilege) " +
      "AND (name <> $2 OR privilege = 'SELECT') ORDER BY name",
    [[...TABLES, MIGRATIONS_TABLE], MIGRATIONS_TABLE],
  );
  if (rows.length === 0) return;
  const names = rows.map(({ name }) => name).join(", ");
  const all = `ALL TABLES IN SCHEMA ${rows[0]!.schema}`;
  throw new DomainError(
    "database_unusable",
    `The role ${role} may not read and write every table of the database ${database}: ${names}`,
    { hints: [`as their owner: GRANT SELECT, INSERT, UPDATE, DELETE ON ${all} TO ${role};`] },
  );
}
