/** How far a clock is from the database's, and what that does to tokens. */

import { CLOCK_SKEW } from "../rotation/policy.ts";
import { NOTABLE_OFFSET } from "../server/clock_watch.ts";
import { type Finding, problem, warning } from "./finding.ts";

const ADVICE = "let every machine set its clock by NTP";

/** What is wrong with a clock so many milliseconds ahead; `undefined` when nothing is. */
export function offsetFinding(check: string, whose: string, offset: number): Finding | undefined {
  const distance = Math.abs(offset);
  if (distance <= NOTABLE_OFFSET) return undefined;
  const side = offset > 0 ? "ahead of" : "behind";
  const message = `${whose} is ${Math.round(distance / 1000)} s ${side} the database's`;
  if (distance <= CLOCK_SKEW * 1000) return warning(check, message, ADVICE);
  const hint = `${ADVICE}: beyond ${CLOCK_SKEW} s tokens are refused, and keys sign untimely`;
  return problem(check, message, hint);
}
