/** What is to be done once everything is copied, and before. */

import type { SecretSource } from "../sealing/secret.ts";
import type { DatabaseLocation } from "../storage/location.ts";
import { libpqUrl } from "../storage/postgres/libpq_url.ts";
import { TABLES } from "../storage/tables.ts";
import { shellWord } from "./shell_word.ts";

/** What the servers are to be started with. */
export interface NextParts {
  target: DatabaseLocation;
  /** The variable by which the target is named, as it may be shown. */
  database: string;
  /** The file of the certificates by which the target's server is known, if one was named. */
  caFile: string | undefined;
  source: SecretSource;
}

/** The lines to print. */
export async function nextSteps(
  { target, database, caFile, source }: NextParts,
): Promise<string[]> {
  const file = await secretFileIn(source);
  const variables = [
    database,
    ...caFile === undefined ? [] : [`DATABASE_CA_FILE=${caFile}`],
    file === undefined ? "the same NOT_MY_KEY as before" : `NOT_MY_KEY_FILE=${file}`,
  ];
  return [
    "The secret is the same one: tokens and passwords stay valid",
    ...target.engine === "postgres" && file !== undefined
      ? [`Put ${file} on the machine of every server: with this database, none makes a secret`]
      : [],
    `Start the servers with ${variables.join(", ")}`,
    "Start none on the source again: what that writes, the others would not know",
  ];
}

/** How a target is emptied that holds rows: on a server, such that owners and grants stay as they are. */
export function howToEmpty(target: DatabaseLocation, caFile: string | undefined): string {
  if (target.engine === "sqlite") {
    return `or move ${target.path} away, once no server and no command uses it`;
  }
  const url = shellWord(libpqUrl(target.server, caFile));
  const sql = `TRUNCATE ${TABLES.map(({ name }) => name).join(", ")}`;
  return `or empty it, once no server uses it: psql ${url} --command=${shellWord(sql)}`;
}

/** The file that holds the secret; `undefined` when it is not in one, or elsewhere. */
async function secretFileIn(
  { secret, secretFile, usualFile }: SecretSource,
): Promise<string | undefined> {
  if (secret !== undefined) return undefined;
  if (secretFile !== undefined || usualFile === undefined) return secretFile;
  const isThere = await Deno.stat(usualFile).then(() => true, () => false);
  return isThere ? usualFile : undefined;
}
