/** What every command is given: where it reads from, and where it says something. */

import { decodePolicy } from "../keys/key_policy.ts";
import type { ReadVariable } from "../server/config.ts";
import { type Config, loadConfig } from "../server/config.ts";
import { type OpenedDatabase, openExistingDatabase, openExistingStorage } from "../server/open.ts";
import type { KeyStorage, Storage } from "../storage/storage.ts";
import type { Output } from "./output.ts";

export interface CommandContext {
  env: ReadVariable;
  output: Output;
}

/** The configuration. @throws as `loadConfig` does. */
export function configOf({ env }: CommandContext): Config {
  return loadConfig(env);
}

/** Runs `body` on the database and its keys, and closes it. @throws as `openExistingDatabase` does. */
export async function withDatabase<Result>(
  context: CommandContext,
  body: (database: OpenedDatabase, config: Config) => Promise<Result>,
): Promise<Result> {
  const config = configOf(context);
  const database = await openExistingDatabase(config, context.output.log);
  return await body(database, config).finally(() => database.storage.close());
}

/** The same for what needs no secret. @throws as `openExistingStorage` does. */
export async function withStorage<Result>(
  context: CommandContext,
  body: (storage: Storage, config: Config) => Promise<Result>,
): Promise<Result> {
  const config = configOf(context);
  const storage = await openExistingStorage(config, context.output.log);
  return await body(storage, config).finally(() => storage.close());
}

/**
 * The longest life of a client's tokens, in seconds: the keys are kept for as long as the server's
 * tokens live (the stored policy), whatever this shell says.
 */
export async function longestTokenLife(
  storage: KeyStorage,
  { policy }: Pick<Config, "policy">,
): Promise<number> {
  const { policy: stored } = await storage.readKeys();
  return (stored && decodePolicy(stored) || policy).tokenTtl;
}
