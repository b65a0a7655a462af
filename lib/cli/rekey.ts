/** `rekey`: everything sealed under a new secret, in one transaction. */

import { isSameBytes } from "../base/bytes.ts";
import { CommandError, EXIT } from "../base/errors.ts";
import { KeyEncryption } from "../sealing/key_encryption.ts";
import {
  generateSecret,
  isLongEnough,
  pendingFileOf,
  readSecretFile,
  secretFileOf,
  settleSecret,
  writeSecret,
} from "../sealing/secret.ts";
import type { Config } from "../server/config.ts";
import type { OpenedKeys } from "../server/open.ts";
import type { Output } from "./output.ts";

export interface RekeyOptions {
  /** The value of `NEW_NOT_MY_KEY`. */
  value: string | undefined;
  /** A file that holds the new secret. */
  file: string | undefined;
}

/**
 * Reseals every key. A generated secret is on the disk, beside the file whose place it takes,
 * before the database needs it, and takes that place afterwards: killed at any moment, the database
 * is wholly old or wholly new, and its secret is there.
 */
export async function rekey(
  { keys, config, output }: { keys: OpenedKeys; config: Config; output: Output },
  options: RekeyOptions,
): Promise<void> {
  const given = await givenSecret(options);
  if (given === keys.secret.value) {
    throw new CommandError(EXIT.failed, "the new secret is the one in use");
  }
  const target = config.secretFile ?? secretFileOf(config.database);
  const secret = given ?? generateSecret();
  const next = await KeyEncryption.create(secret);
  const pendingFile = pendingFileOf(target, next.record);
  if (given === undefined) await writeSecret(pendingFile, secret, Deno.rename);
  const count = await reseal(keys, next).catch(async (error) => {
    // Only a refusal is sure to have sealed nothing: a transaction may fail after it took effect.
    if (given === undefined && error instanceof CommandError) await Deno.remove(pendingFile);
    throw error;
  });
  if (given === undefined) await settleSecret(pendingFile, target, keys.log);
  output.print(`${count} keys are sealed under the new secret`);
  output.print(nextStep(given, target, options, config));
  output.print("Backups made before need the old secret: keep it as long as you keep them");
}

async function givenSecret({ value, file }: RekeyOptions): Promise<string | undefined> {
  if (value !== undefined && file !== undefined) {
    throw new CommandError(EXIT.usage, "NEW_NOT_MY_KEY and --secret-file are both given", [
      "give one of them, or neither to have a secret made",
    ]);
  }
  if (file !== undefined) {
    const secret = await readSecretFile(file);
    if (secret !== undefined) return secret;
    throw new CommandError(EXIT.config, `the secret file ${file} does not exist`);
  }
  if (value === undefined || isLongEnough(value)) return value;
  throw new CommandError(EXIT.config, "NEW_NOT_MY_KEY is too short", [
    "a secret has at least 16 bytes",
  ]);
}

async function reseal(
  { storage, encryption }: OpenedKeys,
  next: KeyEncryption,
): Promise<number> {
  for (;;) {
    const snapshot = await storage.readKeys();
    if (!isSameBytes(snapshot.check, encryption.record.check)) {
      throw new CommandError(EXIT.failed, "another rekey was faster", [
        "the database is sealed under that one's secret; nothing was changed by this one",
      ]);
    }
    const records = await Promise.all(snapshot.records.map(async (record) => {
      const { schedule, jwk } = await encryption.open(record);
      return await next.seal(schedule, jwk);
    }));
    // A server may have changed a key since it was read: then all of it is done again.
    if (await storage.rekey(snapshot, records, next.record)) return records.length;
  }
}

function nextStep(
  given: string | undefined,
  target: string,
  { file }: RekeyOptions,
  config: Config,
): string {
  const restart = "A running server goes on with the keys it holds: start it again";
  if (given !== undefined) {
    return `${restart} with ${file === undefined ? "NOT_MY_KEY" : `NOT_MY_KEY_FILE=${file}`}` +
      `${file === undefined ? " set to the new secret" : ""}`;
  }
  const unset = config.secret === undefined ? "" : " and without NOT_MY_KEY";
  return `The new secret is in ${target}: back it up. ${restart}${unset}`;
}
