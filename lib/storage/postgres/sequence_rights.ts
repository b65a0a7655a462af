/** Whether a role may read, or set, the numbers that rows are given: a grant on tables has no word of them. */

import { DomainError } from "../../base/errors.ts";
import { TABLES } from "../tables.ts";
import type { Statements } from "./transaction.ts";

export type SequencePrivilege = "SELECT" | "UPDATE";

interface Lacking {
  role: string;
  schema: string;
  /** Of the sequences. */
  names: string;
}

/** `pg_get_serial_sequence` gives a name that is quoted where it has to be. */
const LACKING = "SELECT quote_ident(current_user) AS role, " +
  "min(relnamespace::regnamespace::text) AS schema, " +
  "string_agg(DISTINCT relname, ', ' ORDER BY relname) AS names " +
  "FROM unnest($1::text[], $2::text[]) AS numbered (name, key) " +
  "JOIN pg_class ON pg_class.oid = pg_get_serial_sequence(name, key)::regclass, " +
  "unnest($3::text[]) AS privilege " +
  "WHERE NOT has_sequence_privilege(pg_class.oid, privilege) HAVING count(*) > 0";

/** @throws {DomainError} `database_unusable`, with the statement that grants what is missing. */
export async function assertSequenceRights(
  statements: Statements,
  database: string,
  needed: readonly SequencePrivilege[],
): Promise<void> {
  const numbered = TABLES.filter(({ isNumbered }) => isNumbered);
  const { rows: [lacking] } = await statements.query<Lacking>(LACKING, [
    numbered.map(({ name }) => name),
    numbered.map(({ key }) => key),
    needed,
  ]);
  if (lacking === undefined) return;
  const { role, schema, names } = lacking;
  const all = `ALL SEQUENCES IN SCHEMA ${schema}`;
  const use = needed.includes("UPDATE") ? "set" : "read";
  throw new DomainError(
    "database_unusable",
    `The role ${role} may not ${use} the numbers of the database ${database}: ${names}`,
    {
      hints: [
        `as their owner: GRANT ${needed.join(", ")} ON ${all} TO ${role};`,
        "or copy as the role that owns the tables; nothing was changed",
      ],
    },
  );
}
