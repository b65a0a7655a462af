/** Whether a database is sound, table by table. */

import { isDomainError } from "../../base/errors.ts";
import { type Connection, OPENING_TIMEOUT } from "./connection.ts";
import { openFailure } from "./faults.ts";
import { tablesOf } from "./schema.ts";
import { openUnchanged, schemaVersion } from "./unchanged.ts";

export interface IntegrityOptions {
  /** Is told what is checked next, and which of how many steps that is. */
  onStep?: (what: string, step: number, steps: number) => void;
}

/**
 * Everything that is wrong with the whole database, `ok` if nothing is; it is read from its first to
 * its last byte.
 *
 * @throws as `examineDatabase` does.
 */
export function checkIntegrity(path: string, { onStep = () => {} }: IntegrityOptions = {}): string {
  const { connection } = openUnchanged(path, OPENING_TIMEOUT);
  try {
    const tables = ["sqlite_schema", ...tablesOf(schemaVersion(connection))];
    const found = tables.map((table, index) => {
      onStep(table, index + 1, tables.length + 1);
      return integrityOf(connection, table);
    });
    const damage = found.filter((details) => details !== "ok");
    if (damage.length > 0) return damage.join("; ");
    onStep("all pages", tables.length + 1, tables.length + 1);
    return quickCheck(connection, ""); // only this sees the pages that belong to no table
  } catch (error) {
    throw openFailure(path, error);
  } finally {
    connection.close();
  }
}

/** What is wrong with a table, by its name; SQLite does not always say which one it is. */
export function integrityOf(connection: Connection, table: string): string {
  try {
    const details = quickCheck(connection, `(${table})`);
    return details === "ok" ? details : `${table}: ${details}`;
  } catch (error) {
    if (!isDomainError(error) || error.data.fault !== "damaged") throw error;
    return `${table}: ${(error.cause as Error).message}`;
  }
}

/** What SQLite finds wrong in a scope, `(table)`, or everywhere; `ok` if nothing is. */
export function quickCheck(connection: Connection, scope: string): string {
  const rows = connection.all<{ quick_check: string }>(`PRAGMA quick_check${scope}`);
  return rows.map((row) => row.quick_check).join(", ");
}
