/** A transaction that may take hours, of statements none of which does. */

import { isDomainError } from "../../base/errors.ts";
import { namedFailure } from "../named_failure.ts";
import { Connections, serverLimit } from "./connections.ts";
import { StepLimit } from "./deadline.ts";
import { classify } from "./faults.ts";
import { describePostgres, type PostgresLocation } from "./location.ts";
import { remediesOf, remedyOfRefusal, type SettingNames } from "./remedies.ts";
import { inTransaction, type Isolation, type Statements } from "./transaction.ts";

/** How long making the connection may take, in milliseconds. */
const CONNECT_TIMEOUT = 10_000;

/** How long one statement may take, in milliseconds: such as one that counts a large table's rows. */
const STATEMENT_TIMEOUT = 60_000;

/** How long the server waits for the next statement, in milliseconds: another storage is at work. */
const PAUSE = 600_000;

export interface LongTransaction {
  isolation: Isolation;
  /** Certificates, as PEM, that are trusted in place of the system's. */
  ca: string | undefined;
  /** By what an operator has named the database, if not as a server's own. */
  settings?: SettingNames | undefined;
}

/**
 * Runs `body` once, in a transaction on a connection of its own.
 *
 * @throws {DomainError} `failed`, by the name of the database, when it is not to be had; whatever
 * `body` throws.
 */
export async function inLongTransaction<Result>(
  location: PostgresLocation,
  { isolation, ca, settings }: LongTransaction,
  body: (statements: Statements) => Promise<Result>,
): Promise<Result> {
  const connections = new Connections(location, { ca, timeout: CONNECT_TIMEOUT, max: 1 });
  const options = { isolation, limit: serverLimit(STATEMENT_TIMEOUT) };
  try {
    return await connections.lend(new StepLimit(STATEMENT_TIMEOUT), (lease) =>
      inTransaction(
        {
          query: async (sql, values) => {
            try {
              return await lease.query(sql, values);
            } catch (error) {
              throw failureOf({ location, settings }, error); // before it is taken for one of the other storage
            }
          },
          command: (sql) => lease.command(sql),
          wait: (work) => work(),
        },
        options,
        async (statements) => {
          await statements.query(`SET LOCAL idle_in_transaction_session_timeout = ${PAUSE}`);
          return await body(statements);
        },
      ));
  } catch (error) {
    throw failureOf({ location, settings }, error);
  } finally {
    await connections.close();
  }
}

/** The error to throw for one of this database, by its name. */
export function failureOf(
  { location, settings }: { location: PostgresLocation; settings?: SettingNames | undefined },
  error: unknown,
): unknown {
  const failure = classify(error);
  if (!isDomainError(failure, "storage_unavailable")) return failure;
  const remedy = remedyOfRefusal(failure);
  const hints = remedy === undefined ? remediesOf(failure, location, settings) : [remedy];
  return namedFailure(describePostgres(location), failure, hints);
}
