/** The first start of a server without serving: the database, its secret and its first keys. */

import type { Log } from "../base/log.ts";
import { KeyRing } from "../keys/key_ring.ts";
import type { Config } from "./config.ts";
import { examine } from "./database.ts";
import { openDatabase, type OpenedDatabase, openExistingDatabase } from "./open.ts";

/** What there is now. */
export interface Initialised {
  database: OpenedDatabase;
  ring: KeyRing;
  /** Whether the keys were made just now; else nothing has changed. */
  isMade: boolean;
}

/**
 * Makes what a server makes at its first start, unless it is there; then it is opened and left as it
 * is, under the policy that it has. One whose maker was killed before it had a key is completed.
 *
 * The clients of `CLIENTS_FILE` are left to the server, which applies them whenever it starts: where
 * an image is made, the file that is mounted later is not there yet.
 *
 * @returns with the storage open, for the caller to close.
 * @throws {DomainError} as `openDatabase` and `KeyRing.open` do.
 */
export async function initialise(config: Config, log: Log): Promise<Initialised> {
  const { keyEncryption, close } = await examine(config, "command", log);
  await close();
  const isKept = keyEncryption !== undefined;
  const database = await (isKept ? openExistingDatabase : openDatabase)(config, log);
  try {
    return { database, ...await firstKeys(database) };
  } catch (error) {
    await database.storage.close();
    throw error;
  }
}

async function firstKeys(database: OpenedDatabase): Promise<Omit<Initialised, "database">> {
  const held = await KeyRing.load(database);
  if (held.keys.length + held.refused.length > 0) return { ring: held, isMade: false };
  const ring = await KeyRing.open(database);
  await ring.maintain();
  return { ring, isMade: true };
}
