/** How far two clocks are apart, and what that does to tokens. */

import { CLOCK_SKEW } from "../rotation/policy.ts";
import { type Finding, problem, warning } from "./finding.ts";

/** From where on two clocks are told to be apart, in milliseconds. */
const NOTABLE = 60_000;

const ADVICE = "see that all machines set their clocks by NTP";

/**
 * What is wrong with a clock that is so many milliseconds ahead of another; `undefined` when nothing is.
 *
 * @param message what is apart from what, to be followed by how far.
 */
export function offsetFinding(
  check: string,
  message: string,
  offset: number,
): Finding | undefined {
  const told = `${message} by ${Math.round(Math.abs(offset) / 1000)} s`;
  if (Math.abs(offset) > CLOCK_SKEW * 1000) {
    const hint = `${ADVICE}: beyond ${CLOCK_SKEW} s verifiers refuse tokens and keys sign untimely`;
    return problem(check, told, hint);
  }
  return Math.abs(offset) > NOTABLE ? warning(check, told, ADVICE) : undefined;
}
