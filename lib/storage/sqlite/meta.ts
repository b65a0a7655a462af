/** The table `meta`: what is kept of the secret. */

import { CommandError, EXIT } from "../../base/errors.ts";
import { examineDatabase, type SqliteDatabase } from "./database.ts";
import type { KeyEncryptionRecord } from "../storage.ts";

const META = { derivation: "kek_derivation", check: "kek_check" } as const;

/**
 * What an existing database keeps of its secret, found without changing a byte; `undefined` when
 * there is no database yet.
 *
 * @throws {CommandError} when the database is corrupt, foreign, or newer than this program.
 */
export function peekKeyEncryption(path: string): KeyEncryptionRecord | undefined {
  return examineDatabase(path, (database) => readKeyEncryption(database));
}

/**
 * Both values, or `undefined` when there are none yet. Keys without them could not be opened any
 * more, and a new salt would make that final.
 */
export function readKeyEncryption(database: SqliteDatabase): KeyEncryptionRecord | undefined {
  const derivation = readMeta(database, META.derivation);
  const check = readMeta(database, META.check);
  if (derivation && check) return { derivation, check };
  const hasKeys = database.get("SELECT kid FROM keys LIMIT 1") !== undefined;
  if (!derivation && !check && !hasKeys) return undefined;
  throw new CommandError(
    EXIT.config,
    "the database lacks what is needed to open its keys with the secret (the table meta)",
    ["restore a backup; nothing was changed"],
  );
}

function readMeta(database: SqliteDatabase, name: string): Uint8Array | undefined {
  const sql = "SELECT value FROM meta WHERE name = ?";
  return database.get<{ value: Uint8Array }>(sql, name)?.value;
}

/** The check value alone; empty when there is none. */
export function readCheck(database: SqliteDatabase): Uint8Array {
  return readMeta(database, META.check) ?? new Uint8Array();
}

/** Writes both values, in place of those that are there. */
export function writeKeyEncryption(database: SqliteDatabase, record: KeyEncryptionRecord): void {
  for (const name of ["derivation", "check"] as const) {
    database.run(
      "INSERT INTO meta (name, value) VALUES (?, ?) " +
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      META[name],
      record[name],
    );
  }
}
