/** What a look at a database gives, whatever keeps it. */

import type { KeyEncryptionRecord, Storage } from "../storage/storage.ts";

/** What a look at a database gives. One of `open` and `close` must be called. */
export interface ExaminedDatabase {
  /** Nothing of this program is there yet. */
  isNew: boolean;
  /** What the database keeps of its secret; `undefined` when there is nothing yet. */
  keyEncryption: KeyEncryptionRecord | undefined;
  /** Opens it for reading and writing; what is not there yet is made, and what is old renewed. */
  open(): Promise<Storage>;
  /** Leaves it as it is. */
  close(): Promise<void>;
}

/** What the database is opened for: a server examines, tells and mends more than a command. */
export type Purpose = "server" | "command";
