/** How a check of `doctor` is made. */

import type { DomainError } from "../base/errors.ts";
import { type Finding, problem } from "./finding.ts";

export type Findings = Finding | Finding[];

/** A check that cannot be made is a problem by itself, and keeps none of the others from being made. */
export async function attempt(
  check: string,
  make: () => Findings | Promise<Findings>,
): Promise<Finding[]> {
  try {
    return [await make()].flat();
  } catch (error) {
    const { message, hints = [] } = error as Partial<DomainError>;
    const hint = hints.length > 0 ? hints.join("; ") : "put a backup in its place";
    return [problem(check, message ?? String(error), hint)];
  }
}
