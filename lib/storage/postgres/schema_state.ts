/** What state a database's schema is in, by a look that changes nothing. */

import { DomainError } from "../../base/errors.ts";
import { MIGRATIONS_COLUMNS, SCHEMA_VERSION, TABLES } from "./schema.ts";
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
  if (!await hasMigrations(statements)) {
    assertNoTables(database, tables);
    return { version: 0, database, role };
  }
  const version = await versionIn(statements);
  assertKnown(database, version);
  assertTables(database, tables);
  await assertPrivileges(statements, database, role);
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

/** This program's tables that there are, and that the role sees without saying where. */
async function tablesIn(statements: Statements): Promise<string[]> {
  const { rows } = await statements.query<{ name: string }>(
    "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL",
    [TABLES],
  );
  return rows.map(({ name }) => name);
}

/** Whether migrations are counted here by this program: others have a table of that name, too. */
async function hasMigrations(statements: Statements): Promise<boolean> {
  const { rows } = await statements.query<{ name: string }>(
    "SELECT attname AS name FROM pg_attribute WHERE attrelid = to_regclass('schema_migrations') " +
      "AND attnum > 0 AND NOT attisdropped",
  );
  const names = rows.map(({ name }) => name);
  return MIGRATIONS_COLUMNS.every((name) => names.includes(name));
}

async function versionIn(statements: Statements): Promise<number> {
  const sql = "SELECT coalesce(max(version), 0) AS version FROM schema_migrations";
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

async function assertPrivileges(
  statements: Statements,
  database: string,
  role: string,
): Promise<void> {
  const { rows } = await statements.query<{ name: string }>(
    "SELECT name FROM unnest($1::text[]) AS name WHERE NOT (" +
      ["SELECT", "INSERT", "UPDATE", "DELETE"]
        .map((privilege) => `has_table_privilege(name, '${privilege}')`).join(" AND ") +
      ")",
    [TABLES],
  );
  if (rows.length === 0) return;
  const names = rows.map(({ name }) => name).join(", ");
  throw new DomainError(
    "database_unusable",
    `The role ${role} may not read and write every table of the database ${database}: ${names}`,
    { hints: [`as their owner: GRANT SELECT, INSERT, UPDATE, DELETE ON ${names} TO ${role};`] },
  );
}
