/** Tells in the log when this machine's clock is off from the one that all servers share. */

import type { Log } from "../base/log.ts";
import { CLOCK_SKEW } from "../rotation/policy.ts";

/** From where on a clock is told to be off, in milliseconds. */
export const NOTABLE_OFFSET = 60_000;

/** How far off the measuring itself may be, which the way to the database is a part of, in milliseconds. */
const UNCERTAINTY = 1000;

/** From where on tokens are refused, and keys sign untimely, in milliseconds. */
const HARMFUL_OFFSET = CLOCK_SKEW * 1000 + UNCERTAINTY;

type Severity = "none" | "notable" | "harmful";

export class ClockWatch {
  readonly #log: Log;
  #severity: Severity = "none";
  /** As it was last told, in milliseconds. */
  #told = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Takes how far the clock is ahead, in milliseconds; says so when that is another matter than before. */
  observe(offset: number): void {
    const severity = severityOf(offset);
    const hasMoved = severity !== "none" && Math.abs(offset - this.#told) > NOTABLE_OFFSET;
    if (severity === this.#severity && !hasMoved) return;
    [this.#severity, this.#told] = [severity, offset];
    const fields = { seconds_ahead: Math.round(offset / 1000) };
    switch (severity) {
      case "none":
        return this.#log.info("the clock agrees with the database's again", fields);
      case "notable":
        return this.#log.warn("the clock is off from the database's", {
          ...fields,
          hint: "let every machine set its clock by NTP",
        });
      case "harmful":
        return this.#log.error("the clock is too far off from the database's", {
          ...fields,
          hint: `set it right: beyond ${CLOCK_SKEW} s tokens are refused, and keys sign untimely`,
        });
    }
  }
}

function severityOf(offset: number): Severity {
  const distance = Math.abs(offset);
  if (distance <= NOTABLE_OFFSET) return "none";
  return distance <= HARMFUL_OFFSET ? "notable" : "harmful";
}
