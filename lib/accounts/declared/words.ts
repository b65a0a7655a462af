/** What is wrong with a value of a file of clients, in the words of who wrote it. */

import type { z } from "zod";

/** What must stand there, by what the schema calls it. */
const KINDS: Readonly<Record<string, string>> = {
  array: "an array",
  boolean: "true or false",
  object: "an object",
  record: "an object",
  string: "a string",
};

/** An issue that its own schema has no words for; `undefined` for one that needs none here. */
export function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "too_small" && issue.minimum === 1) return "must not be empty";
  if (issue.code === "too_big") {
    const units = issue.origin === "string" ? "characters" : "elements";
    return `must have at most ${issue.maximum} ${units}`;
  }
  if (issue.code !== "invalid_type") return undefined;
  const must = `must be ${KINDS[issue.expected] ?? issue.expected}`;
  return issue.input === undefined ? `is missing: it ${must}` : must;
}
