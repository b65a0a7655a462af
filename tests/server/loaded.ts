/** Configurations read from variables that a test names. */

import assert from "node:assert/strict";
import { isDomainError } from "../../lib/base/errors.ts";
import { type Config, loadConfig, type ReadVariable } from "../../lib/server/config.ts";

export type Variables = Record<string, string>;

export function load(variables: Variables = {}): Config {
  return loadConfig((name) => variables[name]);
}

/** The problems that are reported for these variables, or by whatever reads them. */
export function problemsOf(variables: Variables | ReadVariable): readonly string[] {
  const read = typeof variables === "function" ? variables : (name: string) => variables[name];
  try {
    loadConfig(read);
  } catch (error) {
    assert.ok(isDomainError(error, "configuration"), String(error));
    return error.hints;
  }
  return [];
}
