/**
 * What goes wrong with PostgreSQL, told apart by its SQLSTATE codes
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */

import { DatabaseError } from "pg";
import { DomainError, type StorageFault, storageUnavailable } from "../../base/errors.ts";
import { DeadlineExceeded } from "./deadline.ts";

/** Codes that may pass by themselves, or when an operator has mended something. */
const FAULTS: Record<string, StorageFault> = {
  "25006": "read-only", // read_only_sql_transaction: a standby, or a setting
  "25P03": "unreachable", // idle_in_transaction_session_timeout
  "3D000": "unreachable", // invalid_catalog_name: there is no such database
  "3F000": "altered", // invalid_schema_name
  "40001": "locked", // serialization_failure
  "40P01": "locked", // deadlock_detected
  "42501": "altered", // insufficient_privilege
  "42703": "altered", // undefined_column
  "42804": "altered", // datatype_mismatch
  "42883": "altered", // undefined_function, which an operator of another type is, too
  "42P01": "altered", // undefined_table
  "42P10": "altered", // invalid_column_reference: no unique index for ON CONFLICT
  "53100": "full", // disk_full
  "55006": "locked", // object_in_use
  "55P03": "locked", // lock_not_available
  "57014": "locked", // query_canceled: statement_timeout, which is waiting for locks as a rule
  "58P01": "damaged", // undefined_file
  "P0001": "altered", // raise_exception: no trigger of this program raises anything
  "XX001": "damaged", // data_corrupted
  "XX002": "damaged", // index_corrupted
};

/** The same of whole classes of codes. */
const FAULTS_OF_CLASSES: Record<string, StorageFault> = {
  "08": "unreachable", // connection exception
  "28": "unreachable", // invalid authorization specification
  "53": "unreachable", // insufficient resources: connections, memory
  "57": "unreachable", // operator intervention: it ends, or starts
  "58": "unreachable", // system error
};

/** The server said that it did nothing of what was asked, though it might another time. */
const DONE_NOTHING = ["40001", "40P01", "57P01"];

/**
 * How a connection more than may be is refused: too_many_connections, and protocol_violation, which
 * is all that some versions of PgBouncer say of whatever it is.
 */
const TURNED_AWAY = ["53300", "08P01"];

/** No connection could be made. Nothing was asked. */
export class ConnectionFailed extends Error {
  override name = "ConnectionFailed";

  constructor(cause: unknown) {
    super("The database cannot be connected to", { cause });
  }
}

/** The connection is no more. What was asked last may have been done. */
export class ConnectionLost extends Error {
  override name = "ConnectionLost";

  constructor(cause: unknown) {
    super("The connection to the database was lost", { cause });
  }
}

/** A transaction whose commit was asked for. */
export interface Committing {
  /** The server's number of it; `undefined` when it is none that could change anything. */
  number: string | undefined;
  /** What it gives when it was committed. */
  result: unknown;
}

/** The connection was lost while a transaction was being committed: it may have taken effect. */
export class CommitUnknown extends Error {
  override name = "CommitUnknown";
  readonly committing: Committing;

  constructor(committing: Committing, cause: unknown) {
    super("It is not known whether the transaction was committed", { cause });
    this.committing = committing;
  }
}

/** The SQLSTATE of an error that the server sent, or of what caused one. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof Error ? ownState(error) ?? sqlState(error.cause) : undefined;
}

function ownState(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

/** Whether the connection was lost, so that the same may succeed on another one. */
export function isLost(error: unknown): boolean {
  return error instanceof ConnectionLost || endsConnection(error);
}

/** Whether the server ends the connection with this error. */
export function endsConnection(error: unknown): boolean {
  return error instanceof DatabaseError && ["FATAL", "PANIC"].includes(error.severity ?? "");
}

/** Whether the server takes no connection just now, though it may have taken others. */
export function isTurnedAway(error: unknown): boolean {
  return error instanceof ConnectionFailed && TURNED_AWAY.includes(sqlState(error) ?? "");
}

/** Whether the server says that it has done nothing, so that the same may be asked again. */
export function hasDoneNothing(error: unknown): boolean {
  return DONE_NOTHING.includes(ownState(error) ?? "") || isTurnedAway(error);
}

/**
 * The error to throw for one of the driver, of the server or of this room. One that says what is wrong
 * already stays what it is: its cause may be another server's.
 */
export function classify(error: unknown): unknown {
  if (error instanceof DomainError) return error;
  const state = sqlState(error);
  const fault = state === undefined ? undefined : faultOf(state);
  if (fault !== undefined) return storageUnavailable(fault, error);
  const isUnreachable = UNREACHABLE.some((kind) => error instanceof kind);
  return isUnreachable ? storageUnavailable("unreachable", error) : error;
}

function faultOf(state: string): StorageFault | undefined {
  return FAULTS[state] ?? FAULTS_OF_CLASSES[state.slice(0, 2)];
}

const UNREACHABLE = [ConnectionFailed, ConnectionLost, CommitUnknown, DeadlineExceeded];
