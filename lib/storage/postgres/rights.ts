/** What the role of a server may do with the tables, and with their schema. */

import { TABLES } from "./schema.ts";
import type { Statements } from "./transaction.ts";

export interface Rights {
  role: string;
  /** Where the tables are; `null` when the role may use none that it looks in. */
  schema: string | null;
  /** What it needs and lacks, as `GRANT` names them: `INSERT, DELETE ON users`. */
  missing: string[];
  /** It may make tables, and owns those that there are, so that it can change them. */
  mayMigrate: boolean;
  /** Every role may make something in that schema, as by default before PostgreSQL 15. */
  isOpen: boolean;
}

/** The privileges that a server needs on its tables. */
const NEEDED = ["SELECT", "INSERT", "UPDATE", "DELETE"];

/** The table that it only reads. */
const MIGRATIONS_TABLE = "schema_migrations";

interface Row {
  role: string;
  schema: string | null;
  mayMigrate: boolean | null;
  isOpen: boolean | null;
}

export async function readRights(statements: Statements): Promise<Rights> {
  const { rows: [found] } = await statements.query<Row>(
    "SELECT current_user AS role, current_schema() AS schema, " +
      `has_schema_privilege('public', current_schema(), 'CREATE') AS "isOpen", ` +
      "has_schema_privilege(current_schema(), 'CREATE') AND NOT EXISTS (" +
      "SELECT FROM unnest($1::text[]) AS name JOIN pg_class ON pg_class.oid = to_regclass(name) " +
      `WHERE NOT pg_has_role(relowner, 'USAGE')) AS "mayMigrate"`,
    [[...TABLES, MIGRATIONS_TABLE]],
  );
  const { role, schema, mayMigrate, isOpen } = found!;
  return {
    role,
    schema,
    missing: await missingRights(statements),
    mayMigrate: mayMigrate ?? false,
    isOpen: isOpen ?? false,
  };
}

async function missingRights(statements: Statements): Promise<string[]> {
  const { rows } = await statements.query<{ name: string; privileges: string }>(
    "SELECT name, string_agg(privilege, ', ' ORDER BY place) AS privileges " +
      "FROM unnest($1::text[]) AS name, unnest($2::text[]) WITH ORDINALITY AS n (privilege, place) " +
      `WHERE (name <> '${MIGRATIONS_TABLE}' OR privilege = 'SELECT') ` +
      "AND NOT has_table_privilege(to_regclass(name), privilege) GROUP BY name ORDER BY name",
    [[...TABLES, MIGRATIONS_TABLE], NEEDED],
  );
  return rows.map(({ name, privileges }) => `${privileges} ON ${name}`);
}
