/** Values that cannot be copied: their number, and the first of them. */

import { DomainError } from "../base/errors.ts";
import type { OddValue } from "./tables.ts";

/** How many are named. */
const NAMED = 5;

export class OddValues {
  count = 0;
  readonly #first: OddValue[] = [];

  add(values: readonly OddValue[]): void {
    this.count += values.length;
    this.#first.push(...values.slice(0, NAMED - this.#first.length));
  }

  /** @throws {DomainError} `failed` when there are any; it shows none of them. */
  assertNone(): void {
    if (this.count === 0) return;
    const named = this.#first.map(({ table, where, column, reason }) =>
      `${table} WHERE ${where}: ${column} ${reason}`
    );
    const others = this.count - named.length;
    const [rows, them, these] = this.count === 1
      ? ["A row", "it", "the row"]
      : [`${this.count} rows`, "them", "these rows"];
    throw new DomainError("failed", `${rows} cannot be copied: another program wrote ${them}`, {
      hints: [
        ...named,
        ...others > 0 ? [`and ${others} more`] : [],
        `correct ${these} or delete ${them}, and copy again; nothing was copied`,
      ],
    });
  }
}
