/** What tests of secret files need: where they stand, and what a refusal must look like. */

import assert from "node:assert/strict";
import { type DomainError, isDomainError } from "../../lib/base/errors.ts";
import type { SecretSource } from "../../lib/sealing/secret.ts";
import { secretFileOf } from "../../lib/sealing/secret_file.ts";
import { failureOf, SECRET } from "../support.ts";

/** A database in `directory` whose secret stands in the file beside it, unless `given` otherwise. */
export function sourceIn(directory: string, given: Partial<SecretSource> = {}): SecretSource {
  const database = `${directory}/db`;
  const usualFile = secretFileOf(given.database ?? database);
  return { secret: undefined, secretFile: undefined, usualFile, database, ...given };
}

export async function filesIn(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory), (entry) => entry.name)).toSorted();
}

/** The names of the files in `directory`, with what they hold. */
export async function contentsOf(directory: string): Promise<Record<string, string>> {
  const names = await filesIn(directory);
  const texts = names.map(async (name) =>
    [name, await Deno.readTextFile(`${directory}/${name}`)] as const
  );
  return Object.fromEntries(await Promise.all(texts));
}

/** Asserts a refusal of the secret with a hint, and nothing of `hidden` in it. */
export async function assertRefused(
  work: () => unknown,
  hidden = SECRET,
): Promise<DomainError> {
  const error = await failureOf(work);
  assert.ok(isDomainError(error, "secret_unusable"), Deno.inspect(error));
  assert.ok(error.hints.length > 0);
  assert.ok(!`${error.message} ${error.hints} ${Deno.inspect(error)}`.includes(hidden));
  return error;
}
