/** The storage in one SQLite file. */

import { setImmediate } from "node:timers";
import { isDomainError } from "../../base/errors.ts";
import { countFailure, noFailures } from "../failure_counts.ts";
import type {
  AuthenticationCount,
  AuthenticationEntry,
  AuthenticationQuery,
  AuthenticationRecord,
  AuthenticationStart,
  ClientChanges,
  ClientRecord,
  KeyChange,
  KeyEncryptionRecord,
  KeyRecord,
  KeySnapshot,
  NewKeyCredential,
  NewUser,
  PasswordReplacement,
  RowId,
  Storage,
  UserQuery,
  UserRecord,
} from "../storage.ts";
import * as authLogs from "./auth_logs_table.ts";
import { unlessSuperseded } from "../superseded.ts";
import { applyClients } from "./client_changes.ts";
import * as clients from "./clients_tables.ts";
import type { SqliteDatabase } from "./database.ts";
import { GroupCommit } from "./group_commit.ts";
import * as keys from "./keys_table.ts";
import * as meta from "./meta.ts";
import { schemaVersion } from "./unchanged.ts";
import * as users from "./users_table.ts";

/** How often a locked database is asked again, in milliseconds, and how many times in all. */
const LOCK_INTERVAL = 20;
const LOCK_ATTEMPTS = 20;

/** A `Storage` over an open database, which it owns from then on. */
export class SqliteStorage implements Storage {
  readonly failures = noFailures();
  /** All that work on the file are on its machine, and seen there. */
  readonly servers = undefined;
  readonly connections = undefined;
  readonly uses = undefined;
  readonly #database: SqliteDatabase;
  /** The rows of the authentication log that are to be written next. */
  readonly #records = new GroupCommit<AuthenticationRecord, number | undefined>({
    transaction: (body) => this.#write(body),
    write: (record) => authLogs.recordAuthentication(this.#database, record),
    schedule: setImmediate,
  });
  /** Tells this process from other servers on the database. */
  readonly #server = crypto.getRandomValues(new Uint8Array(16));

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  revision(): Promise<number> {
    return this.#read((database) => {
      database.recover();
      return meta.readRevision(database);
    });
  }

  readKeyEncryption(): Promise<KeyEncryptionRecord | undefined> {
    return this.#read(meta.readKeyEncryption);
  }

  createKeyEncryption(record: KeyEncryptionRecord): Promise<boolean> {
    return this.#write((database) => {
      if (meta.readKeyEncryption(database) !== undefined) return false;
      meta.writeKeyEncryption(database, record);
      return true;
    });
  }

  readKeys(): Promise<KeySnapshot> {
    return this.#read((database) => database.snapshot(() => keys.readKeys(database)));
  }

  changeKeys(expected: KeySnapshot, change: KeyChange): Promise<boolean> {
    return this.#write((database) => keys.changeKeys(database, expected, change));
  }

  rekey(
    expected: KeySnapshot,
    records: readonly KeyRecord[],
    keyEncryption: KeyEncryptionRecord,
  ): Promise<boolean> {
    return this.#write((database) => keys.replaceKeys(database, expected, records, keyEncryption));
  }

  writePolicy(policy: Uint8Array): Promise<void> {
    return this.#write((database) => meta.writePolicy(database, policy));
  }

  createUser(user: NewUser): Promise<UserRecord | undefined> {
    return this.#write((database) => users.createUser(database, user));
  }

  findUser(username: string): Promise<UserRecord | undefined> {
    return this.#read((database) => users.findUser(database, username));
  }

  findUserByEmail(email: string): Promise<UserRecord | undefined> {
    return this.#read((database) => users.findUserByEmail(database, email));
  }

  listUsers(query: UserQuery): Promise<UserRecord[]> {
    return this.#read((database) => users.listUsers(database, query));
  }

  samplePasswordHashes(count: number): Promise<string[]> {
    return this.#read((database) => users.samplePasswordHashes(database, count));
  }

  replacePasswordHash(userId: RowId, from: string, to: string): Promise<boolean> {
    return this.#write((database) => users.replacePasswordHash(database, userId, from, to));
  }

  findClient(username: string): Promise<ClientRecord | undefined> {
    return this.#read((database) => clients.readClient(database, username));
  }

  replaceClientPolicy(
    userId: RowId,
    from: string | undefined,
    to: string | undefined,
  ): Promise<boolean> {
    return this.#write((database) => clients.replaceClientPolicy(database, userId, from, to));
  }

  addCredential(userId: RowId, key: NewKeyCredential): Promise<boolean> {
    return this.#write((database) => clients.addCredential(database, userId, key));
  }

  removeCredential(userId: RowId, kid: string): Promise<boolean> {
    return this.#write((database) => clients.removeCredential(database, userId, kid));
  }

  replacePassword(userId: RowId, replacement: PasswordReplacement): Promise<boolean> {
    return this.#write((database) => clients.replacePassword(database, userId, replacement));
  }

  deleteUser(userId: RowId, nameHash: Uint8Array): Promise<boolean> {
    return this.#write((database) => users.deleteUser(database, userId, nameHash));
  }

  async applyClients(expected: readonly ClientRecord[], changes: ClientChanges): Promise<boolean> {
    const applied = this.#write((database) => {
      applyClients(database, expected, changes);
      return true;
    });
    return await unlessSuperseded(applied) ?? false;
  }

  readTombstones(): Promise<Uint8Array[]> {
    return this.#read(users.readTombstones);
  }

  async nameKey(fresh: Uint8Array): Promise<Uint8Array> {
    const kept = await this.#read(meta.readNameKey);
    return kept ?? await this.#write((database) => {
      const made = meta.readNameKey(database);
      if (made === undefined) meta.writeNameKey(database, fresh);
      return made ?? fresh;
    });
  }

  recordAuthentication(record: AuthenticationRecord): Promise<number | undefined> {
    return this.#records.add(record);
  }

  seekAuthentications(start: AuthenticationStart): Promise<RowId> {
    return this.#read((database) =>
      database.snapshot(() => authLogs.seekAuthentications(database, start))
    );
  }

  readAuthentications(query: AuthenticationQuery): Promise<AuthenticationEntry[]> {
    return this.#read((database) => authLogs.readAuthentications(database, query));
  }

  newestAuthentications(limit: number): Promise<AuthenticationEntry[]> {
    return this.#read((database) => authLogs.newestAuthentications(database, limit));
  }

  countAuthentications(since: number): Promise<AuthenticationCount> {
    return this.#read((database) => authLogs.countAuthentications(database, since));
  }

  purgeAuthentications(before: number, limit: number): Promise<number> {
    return this.#write((database) => authLogs.purgeAuthentications(database, before, limit));
  }

  assertWritable(): Promise<void> {
    return this.#write((database) => {
      // A page goes to the disk, and the number on it stays what it is: nothing counts as changed.
      database.run(`PRAGMA user_version = ${schemaVersion(database)}`);
    });
  }

  /** Leaves a mark that a server runs, until `endRun`: without that, the next start checks more. */
  beginRun(): Promise<void> {
    return this.#write((database) => meta.markRunning(database, this.#server));
  }

  endRun(): Promise<void> {
    return this.#write((database) => meta.unmarkRunning(database, this.#server));
  }

  /**
   * Writes a consistent copy to `file`, in place of what stands there, while others go on reading
   * and writing.
   */
  backup(file: string): Promise<void> {
    return this.#database.backup(file);
  }

  close(): Promise<void> {
    return this.#read((database) => database.close());
  }

  #write<Result>(body: (database: SqliteDatabase) => Result): Promise<Result> {
    return this.#read((database) => database.transaction(() => body(database)));
  }

  /**
   * SQLite answers at once, or is locked: then others wait for the lock without holding up the
   * event loop.
   */
  async #read<Result>(body: (database: SqliteDatabase) => Result): Promise<Result> {
    for (let attempt = 1;; attempt++) {
      try {
        return body(this.#database);
      } catch (error) {
        const isLocked = isDomainError(error) && error.data.fault === "locked";
        if (!isLocked || attempt === LOCK_ATTEMPTS) {
          countFailure(this.failures, error);
          throw error;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, LOCK_INTERVAL));
    }
  }
}
