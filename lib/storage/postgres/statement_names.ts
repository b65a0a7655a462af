/**
 * Names under which the server keeps statements that are given all the time: understanding and
 * planning one anew costs it more than doing it.
 */

import { createHash } from "node:crypto";
import { sqlState } from "./faults.ts";

/**
 * Why a name is of no use (SQLSTATE): the statement was kept by another session, as poolers that lend
 * sessions for a transaction have many, or for tables as they were.
 */
const USELESS = [
  "0A000", // feature_not_supported: its columns have other types by now
  "26000", // invalid_sql_statement_name: there is none
  "42P05", // duplicate_prepared_statement
];

export class StatementNames {
  readonly #names = new Map<string, string>();
  #areUseful = true;

  /** The same for the same text, whoever gives it, and for no other; `undefined`: without one. */
  nameOf(sql: string): string | undefined {
    if (!this.#areUseful) return undefined;
    const name = this.#names.get(sql) ??
      `jwks-server ${createHash("sha256").update(sql).digest("base64url")}`;
    this.#names.set(sql, name);
    return name;
  }

  /**
   * Whether a statement failed by its name, having done nothing, so that it is to be given without;
   * from then on none has a name.
   */
  wasUseless(error: unknown): boolean {
    if (!USELESS.includes(sqlState(error) ?? "")) return false;
    this.#areUseful = false;
    return true;
  }
}
