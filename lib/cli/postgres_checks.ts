/** What `doctor` checks of a PostgreSQL server and its settings, one thing a function. */

import type { Clock } from "../base/clock.ts";
import * as facts from "../storage/postgres/facts.ts";
import type { PostgresLocation } from "../storage/postgres/location.ts";
import { readRights } from "../storage/postgres/rights.ts";
import { SCHEMA_VERSION } from "../storage/postgres/schema.ts";
import { readSchemaState } from "../storage/postgres/schema_state.ts";
import type { Statements } from "../storage/postgres/transaction.ts";
import { offsetFinding } from "./clock_offset.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** How often the server is asked what time it is: the quickest answer tells it best. */
const CLOCK_READINGS = 5;

/** @throws as `readSchemaState` does. */
export async function checkSchema(statements: Statements, mayMigrate: boolean): Promise<Finding> {
  const { version } = await readSchemaState(statements);
  const server = `PostgreSQL ${await facts.readVersion(statements)}`;
  if (version < SCHEMA_VERSION) {
    const before = mayMigrate ? "start the server, which does that, or " : "MIGRATE is off: ";
    return problem(
      "database",
      `${server}, schema version ${version}, and ${SCHEMA_VERSION} is needed`,
      `${before}run jwks-server migrate`,
    );
  }
  if (version === SCHEMA_VERSION) return ok("database", `${server}, schema version ${version}`);
  return warning(
    "database",
    `${server}, schema version ${version}: a newer release has migrated it`,
    "replace this release by that one on every machine: it works beside it, not beside the next",
  );
}

export async function checkRights(statements: Statements, mayMigrate: boolean): Promise<Finding> {
  const { role, schema, missing, ...rights } = await readRights(statements);
  if (schema === null) {
    const hint = `as their owner: GRANT USAGE ON SCHEMA public TO ${role};`;
    return problem("privileges", `the role ${role} may use none of the schemas it looks in`, hint);
  }
  if (missing.length > 0) {
    const grants = missing.map((right) => `GRANT ${right} TO ${role};`).join(" ");
    const message = `the role ${role} lacks ${missing.join(", ")}`;
    return problem("privileges", message, `as the owner of the tables: ${grants}`);
  }
  // A function that fits better than PostgreSQL's own of that name is called in its place.
  if (rights.isOpen) {
    return warning(
      "privileges",
      `every role may make functions in the schema ${schema}, which would be run as ${role}`,
      `as its owner: REVOKE CREATE ON SCHEMA ${schema} FROM PUBLIC; the role that migrates needs it`,
    );
  }
  if (mayMigrate && !rights.mayMigrate) {
    return warning(
      "privileges",
      `the role ${role} may use every table, and not change them for a newer release`,
      "set MIGRATE=off, and run jwks-server migrate as the role that owns the tables",
    );
  }
  const migrates = mayMigrate ? "use and change" : "use";
  return ok("privileges", `the role ${role} may ${migrates} every table in the schema ${schema}`);
}

export async function checkWritability(statements: Statements): Promise<Finding> {
  const { isStandby, isReadOnly } = await facts.readWritability(statements);
  if (isStandby) {
    return problem(
      "writes",
      "the server is a standby, which takes none",
      "let DATABASE lead to the primary, or promote it: until then no token is issued",
    );
  }
  if (!isReadOnly) return ok("writes", "the server is a primary");
  return problem(
    "writes",
    "default_transaction_read_only is on: none are taken",
    "switch it off for this role and this database: until then no token is issued",
  );
}

export async function checkIsolation(statements: Statements): Promise<Finding> {
  const isolation = await facts.readIsolation(statements);
  if (isolation === "read committed") return ok("isolation", isolation);
  return warning(
    "isolation",
    `default_transaction_isolation is ${isolation}: logins at the same time may fail`,
    "set it to 'read committed' for this role",
  );
}

export async function checkDurability(statements: Statements): Promise<Finding> {
  const { commit, fsync, fullPageWrites } = await facts.readDurability(statements);
  const lacking = [
    ...commit === "off" ? ["synchronous_commit"] : [],
    ...fsync ? [] : ["fsync"],
    ...fullPageWrites ? [] : ["full_page_writes"],
  ];
  if (lacking.length === 0) return ok("durability", `synchronous_commit is ${commit}, fsync on`);
  return problem(
    "durability",
    `off: ${lacking.join(", ")}: a crash may undo what was answered, a revocation too`,
    "switch it on",
  );
}

export async function checkEncryption(
  statements: Statements,
  { isSocket, isTls }: PostgresLocation,
): Promise<Finding> {
  if (isSocket) return ok("connection", "a socket of this machine");
  if (!isTls) return ok("connection", "within this machine, without TLS");
  const version = await facts.readTlsVersion(statements);
  if (version !== null) return ok("connection", `${version}, certificate verified`);
  return warning(
    "connection",
    "TLS ends at a pooler, from which the server is spoken to without",
    "see that nobody else reaches the network between the two, or set server_tls_sslmode there",
  );
}

/** A server that waits for a lock for ever holds a connection of the pool for ever. */
export async function checkStatementTimeout(statements: Statements): Promise<Finding> {
  const timeout = await facts.readStatementTimeout(statements);
  if (timeout > 0) return ok("statement limit", `the server ends a statement after ${timeout} ms`);
  return warning(
    "statement limit",
    "none: a pooler between keeps what this program sets from the server",
    "set statement_timeout to '2s' for this role",
  );
}

export async function checkDatabaseClock(statements: Statements, clock: Clock): Promise<Finding> {
  let quickest = { trip: Infinity, offset: 0 };
  for (let reading = 0; reading < CLOCK_READINGS; reading++) {
    const before = clock();
    const theirs = await facts.readClock(statements);
    const after = clock();
    const trip = after - before;
    if (trip < quickest.trip) quickest = { trip, offset: (before + after) / 2 - theirs };
  }
  const { offset, trip } = quickest;
  const found = offsetFinding("database clock", "this machine's clock", offset);
  const bound = Math.ceil(Math.abs(offset) + trip / 2);
  return found ?? ok("database clock", `at most ${bound} ms from this machine's`);
}
