/** How a database gets the schema that this program works with. */

import { DomainError } from "../../base/errors.ts";
import { sqlState } from "./faults.ts";
import type { PostgresPool } from "./pool.ts";
import { CREATE_MIGRATIONS, MIGRATIONS, MIGRATIONS_TABLE, SCHEMA_VERSION } from "./schema.ts";
import { readSchemaState, type SchemaState } from "./schema_state.ts";
import type { Statements } from "./transaction.ts";

/** What servers that migrate one database wait for, one after the other: any number will do. */
const LOCK = 7_405_901_283;

/** What is to be made is there already (SQLSTATE): an index, a function, a type of that name. */
const DUPLICATES = ["42P07", "42710", "42723"];

/** How long a migration may take, and how long another server waits for it, in milliseconds. */
const TIMEOUT = 60_000;

/** The schema's version before and after; 0 where there was none yet. */
export interface Migrated {
  from: number;
  to: number;
}

/**
 * Applies the migrations that are missing, all of them or none. Of several programs that do this at
 * once, one does it and the others find it done.
 *
 * @throws {DomainError} `database_unusable` as `readSchemaState` does, and where the role may make no
 * tables; `storage_unavailable`.
 */
export function migrate(pool: PostgresPool): Promise<Migrated> {
  return pool.transaction(async (tx) => {
    await tx.query("SELECT pg_advisory_xact_lock($1::bigint)", [LOCK]);
    const state = await readSchemaState(tx);
    const from = state.version;
    if (from >= SCHEMA_VERSION) return { from, to: from };
    await assertMayCreate(tx, state);
    if (from === 0) await make(tx, CREATE_MIGRATIONS, state);
    for (let version = from + 1; version <= SCHEMA_VERSION; version++) {
      for (const statement of MIGRATIONS[version - 1]!) await make(tx, statement, state);
      await tx.query(`INSERT INTO ${MIGRATIONS_TABLE} (version) VALUES ($1)`, [version]);
    }
    return { from, to: SCHEMA_VERSION };
  }, { timeout: TIMEOUT });
}

/**
 * What a server does at its start: it goes on with a schema that it works with, and migrates an older
 * one, unless it is told not to.
 *
 * @throws {DomainError} as `migrate` does, and `database_unusable` where it would have to migrate and
 * may not.
 */
export async function prepareSchema(
  pool: PostgresPool,
  { mayMigrate }: { mayMigrate: boolean },
): Promise<Migrated> {
  const { version, database } = await pool.snapshot(readSchemaState);
  if (version >= SCHEMA_VERSION) return { from: version, to: version };
  if (mayMigrate) return await migrate(pool);
  throw new DomainError(
    "database_unusable",
    version === 0
      ? `The database ${database} has no tables yet`
      : `The database ${database} has schema version ${version}, and ${SCHEMA_VERSION} is needed`,
    {
      hints: [
        "MIGRATE=off leaves that to you: run jwks-server migrate, as a role that may make tables",
      ],
    },
  );
}

async function make(tx: Statements, sql: string, { database }: SchemaState): Promise<void> {
  try {
    await tx.query(sql);
  } catch (cause) {
    if (!DUPLICATES.includes(sqlState(cause) ?? "")) throw cause;
    throw new DomainError(
      "database_unusable",
      `The database ${database} has what jwks-server did not make: ${(cause as Error).message}`,
      { cause, hints: ["nothing was changed: give it a database of its own, made with createdb"] },
    );
  }
}

async function assertMayCreate(tx: Statements, { database, role }: SchemaState): Promise<void> {
  const { rows } = await tx.query<{ schema: string | null; mayCreate: boolean | null }>(
    "SELECT current_schema() AS schema, " +
      `has_schema_privilege(current_schema(), 'CREATE') AS "mayCreate"`,
  );
  const { schema, mayCreate } = rows[0]!;
  if (mayCreate) return;
  const place = schema === null ? "" : ` in the schema ${schema}`;
  const grant = schema === null
    ? `as the database's owner: CREATE SCHEMA ${role} AUTHORIZATION ${role};`
    : `as its owner: GRANT CREATE ON SCHEMA ${schema} TO ${role};`;
  throw new DomainError(
    "database_unusable",
    `The role ${role} may not make tables${place} of the database ${database}`,
    { hints: [grant, "or run jwks-server migrate as a role that may, and set MIGRATE=off"] },
  );
}
