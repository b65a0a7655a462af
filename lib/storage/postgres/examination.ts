/** A look at a database before anything is done to it, which changes nothing. */

import type { KeyEncryptionRecord } from "../storage.ts";
import { readKeyEncryption, readRevision } from "./meta.ts";
import type { PostgresPool } from "./pool.ts";
import { readSchemaState } from "./schema_state.ts";

export interface PostgresExamination {
  /** The version of its schema; 0 where there is none yet. */
  version: number;
  /** There is nothing of this program's yet. */
  isNew: boolean;
  /** What the database keeps of its secret; `undefined` when there is nothing yet. */
  keyEncryption: KeyEncryptionRecord | undefined;
}

/**
 * Examines the database, as it is at one moment.
 *
 * @throws {DomainError} `database_unusable` when this program cannot work with what is there;
 * `storage_unavailable` when that may pass.
 */
export function examinePostgres(pool: PostgresPool): Promise<PostgresExamination> {
  return pool.snapshot(async (statements) => {
    const { version } = await readSchemaState(statements);
    if (version === 0) return { version, isNew: true, keyEncryption: undefined };
    await readRevision(statements); // without its row, no key could be changed
    return { version, isNew: false, keyEncryption: await readKeyEncryption(statements) };
  });
}
