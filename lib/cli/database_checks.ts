/** All that `doctor` checks of a database on a PostgreSQL server. */

import { createLog } from "../base/log.ts";
import type { Config } from "../server/config.ts";
import { createPool } from "../server/postgres_engine.ts";
import type { PostgresLocation } from "../storage/postgres/location.ts";
import { openFailure } from "../storage/postgres/open_failure.ts";
import type { Statements } from "../storage/postgres/transaction.ts";
import { attempt } from "./attempt.ts";
import type { Finding } from "./finding.ts";
import {
  checkDatabaseClock,
  checkDurability,
  checkEncryption,
  checkIsolation,
  checkRights,
  checkSchema,
  checkStatementTimeout,
  checkWritability,
} from "./postgres_checks.ts";
import { checkReplicas, checkRoom } from "./replica_checks.ts";

/** Of a server that cannot be reached nothing more is said than that. */
export async function examineServer(
  server: PostgresLocation,
  config: Config,
): Promise<Finding[]> {
  return await attempt("database", async () => {
    const silent = createLog("error", () => {});
    const pool = await createPool({ server, caFile: config.databaseCaFile }, silent);
    const statements: Statements = {
      query: (sql, values) =>
        pool.read<never>(sql, values).catch((error) => {
          throw openFailure(server, error);
        }),
    };
    try {
      await statements.query("SELECT");
      return await examineReached(statements, server, config);
    } finally {
      await pool.close();
    }
  });
}

async function examineReached(
  statements: Statements,
  server: PostgresLocation,
  { migrate }: Config,
): Promise<Finding[]> {
  const schema = await attempt("database", () => checkSchema(statements, migrate));
  const hasTables = schema.every(({ status }) => status !== "problem");
  return [
    ...schema,
    ...await attempt("privileges", () => checkRights(statements, migrate)),
    ...await attempt("writes", () => checkWritability(statements)),
    ...await attempt("isolation", () => checkIsolation(statements)),
    ...await attempt("durability", () => checkDurability(statements)),
    ...await attempt("connection", () => checkEncryption(statements, server)),
    ...await attempt("statement limit", () => checkStatementTimeout(statements)),
    ...await attempt("database clock", () => checkDatabaseClock(statements, Date.now)),
    ...hasTables ? await attempt("connections", () => checkRoom(statements)) : [],
    ...hasTables ? await attempt("servers", () => checkReplicas(statements)) : [],
  ];
}
