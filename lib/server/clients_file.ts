/** The file of clients: read with keys checked as verifiers will, and applied to a database. */

import { applyDeclaration, type ApplyOptions } from "../accounts/declared/clients.ts";
import { type Declaration, readDeclaration } from "../accounts/declared/file.ts";
import { createOperatorHasher } from "../accounts/operator.ts";
import { irregularity } from "../base/disk.ts";
import { DomainError } from "../base/errors.ts";
import type { Storage } from "../storage/storage.ts";
import { toClientKey } from "../tokens/client_key.ts";
import type { Config } from "./config.ts";

/**
 * Reads the file that declares clients.
 *
 * @param tokenTtl the longest life of their tokens, in seconds.
 * @throws {DomainError} `configuration` that names every problem by its JSON path.
 */
export function readClientsFile(file: string, tokenTtl: number): Promise<Declaration> {
  return readDeclaration(file, { checkKey: (jwk) => toClientKey(jwk), tokenTtl });
}

/**
 * As `readClientsFile`, for one that is read at every start: a pipe would be waited for.
 *
 * @throws {DomainError} as that does, and `configuration` for what is no regular file.
 */
export async function readLastingClientsFile(
  file: string,
  tokenTtl: number,
): Promise<Declaration> {
  const kind = irregularityOf(file);
  if (kind === undefined) return await readClientsFile(file, tokenTtl);
  throw new DomainError("configuration", `The clients file ${file} is ${kind}`, {
    hints: ["CLIENTS_FILE must name a JSON file in UTF-8 that this user may read"],
  });
}

/** What a path leads to that cannot be followed is told by who reads it. */
function irregularityOf(file: string): string | undefined {
  try {
    return irregularity(file);
  } catch {
    return undefined;
  }
}

/** Applies a declaration and gives what changed. @throws as `applyDeclaration` does. */
export async function applyClientsFile(
  storage: Storage,
  { argon2: cost }: Pick<Config, "argon2">,
  declaration: Declaration,
  options: ApplyOptions = {},
): Promise<string[]> {
  const hasher = createOperatorHasher(cost);
  return await applyDeclaration({ storage, hasher, cost, clock: Date.now }, declaration, options);
}
