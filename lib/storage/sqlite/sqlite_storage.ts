/** The storage in one SQLite file. */

import { isSameBytes } from "../../base/bytes.ts";
import { StorageUnavailableError } from "../../base/errors.ts";
import type { SqliteDatabase } from "./database.ts";
import { readCheck, readKeyEncryption, writeKeyEncryption } from "./meta.ts";
import {
  type AuthenticationEntry,
  type AuthenticationQuery,
  type AuthenticationRecord,
  isSameRecord,
  type KeyChange,
  type KeyEncryptionRecord,
  type KeyRecord,
  type KeySnapshot,
  type NewUser,
  type Storage,
  timestamp,
  type UserRecord,
} from "../storage.ts";

/** How often a locked database is asked again, in milliseconds, and how many times in all. */
const LOCK_INTERVAL = 20;
const LOCK_ATTEMPTS = 20;

const USER_COLUMNS = "id, username, password_hash, email, date_registered, last_login";

const SELECT_ENTRIES =
  "SELECT auth_logs.id, request_ip AS ip, request_timestamp AS timestamp, username " +
  "FROM auth_logs LEFT JOIN users ON users.id = user_id";

interface UserRow {
  id: number;
  username: string;
  password_hash: string;
  email: string | null;
  date_registered: string;
  last_login: string | null;
}

/** A `Storage` over an open database, which it owns from then on. */
export class SqliteStorage implements Storage {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  version(): Promise<number> {
    return this.#later(() =>
      this.#database.get<{ data_version: number }>("PRAGMA data_version")!.data_version
    );
  }

  readKeyEncryption(): Promise<KeyEncryptionRecord | undefined> {
    return this.#later(() => readKeyEncryption(this.#database));
  }

  createKeyEncryption(record: KeyEncryptionRecord): Promise<boolean> {
    return this.#transaction(() => {
      if (readKeyEncryption(this.#database) !== undefined) return false;
      writeKeyEncryption(this.#database, record);
      return true;
    });
  }

  readKeys(): Promise<KeySnapshot> {
    return this.#later(() => this.#snapshot());
  }

  changeKeys(expected: KeySnapshot, change: KeyChange): Promise<boolean> {
    return this.#transaction(() => {
      if (!isSameSnapshot(this.#snapshot(), expected)) return false;
      for (const kid of change.remove) this.#database.run("DELETE FROM keys WHERE kid = ?", kid);
      this.#putKeys(change.put);
      return true;
    });
  }

  rekey(
    expected: KeySnapshot,
    records: readonly KeyRecord[],
    keyEncryption: KeyEncryptionRecord,
  ): Promise<boolean> {
    return this.#transaction(() => {
      if (!isSameSnapshot(this.#snapshot(), expected)) return false;
      this.#database.run("DELETE FROM keys");
      this.#putKeys(records);
      writeKeyEncryption(this.#database, keyEncryption);
      return true;
    });
  }

  createUser(user: NewUser): Promise<UserRecord | undefined> {
    return this.#transaction(() => {
      const row = this.#database.get<UserRow>(
        "INSERT INTO users (username, password_hash, email, date_registered) VALUES (?, ?, ?, ?) " +
          `ON CONFLICT DO NOTHING RETURNING ${USER_COLUMNS}`,
        user.username,
        user.passwordHash,
        user.email,
        timestamp(user.at),
      );
      return row && toUser(row);
    });
  }

  findUser(username: string): Promise<UserRecord | undefined> {
    return this.#later(() => {
      const row = this.#database.get<UserRow>(
        `SELECT ${USER_COLUMNS} FROM users WHERE username = ? COLLATE NOCASE`,
        username,
      );
      return row && toUser(row);
    });
  }

  listUsers(): Promise<UserRecord[]> {
    return this.#later(() =>
      this.#database.all<UserRow>(`SELECT ${USER_COLUMNS} FROM users ORDER BY id`).map(toUser)
    );
  }

  replacePasswordHash(userId: number, from: string, to: string): Promise<boolean> {
    return this.#transaction(() =>
      this.#database.run(
        "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?",
        to,
        userId,
        from,
      ) === 1
    );
  }

  recordAuthentication({ ip, at, user }: AuthenticationRecord): Promise<boolean> {
    return this.#transaction(() => {
      const isCurrent = user !== null && this.#database.run(
            "UPDATE users SET last_login = ? WHERE id = ? AND password_hash = ?",
            timestamp(at),
            user.id,
            user.passwordHash,
          ) === 1;
      this.#database.run(
        "INSERT INTO auth_logs (request_ip, request_timestamp, user_id) VALUES (?, ?, ?)",
        ip,
        timestamp(at),
        isCurrent ? user.id : null,
      );
      return isCurrent || user === null;
    });
  }

  readAuthentications(query: AuthenticationQuery): Promise<AuthenticationEntry[]> {
    return this.#later(() =>
      this.#database.all<AuthenticationEntry>(
        `${SELECT_ENTRIES} ` +
          "WHERE auth_logs.id > ? AND request_timestamp >= ? " +
          "AND (? IS NULL OR username = ? COLLATE NOCASE) ORDER BY auth_logs.id LIMIT ?",
        query.afterId,
        timestamp(query.since),
        query.username ?? null,
        query.username ?? null,
        query.limit,
      )
    );
  }

  newestAuthentications(limit: number): Promise<AuthenticationEntry[]> {
    return this.#later(() =>
      this.#database.all<AuthenticationEntry>(
        `${SELECT_ENTRIES} ORDER BY request_timestamp DESC, auth_logs.id DESC LIMIT ?`,
        limit,
      )
    );
  }

  countAuthentications(since: number): Promise<{ count: number; newest: string | null }> {
    return this.#later(() =>
      this.#database.get<{ count: number; newest: string | null }>(
        "SELECT count(*) AS count, max(request_timestamp) AS newest FROM auth_logs " +
          "WHERE user_id IS NOT NULL AND request_timestamp >= ?",
        timestamp(since),
      )!
    );
  }

  purgeAuthentications(before: number, limit: number): Promise<number> {
    return this.#transaction(() =>
      this.#database.run(
        "DELETE FROM auth_logs WHERE id IN " +
          "(SELECT id FROM auth_logs WHERE request_timestamp < ? LIMIT ?)",
        timestamp(before),
        limit,
      )
    );
  }

  /**
   * Writes a consistent copy to `file`, in place of what stands there, while others go on reading
   * and writing.
   */
  backup(file: string): Promise<void> {
    return this.#database.backup(file);
  }

  close(): Promise<void> {
    return this.#later(() => this.#database.close());
  }

  #snapshot(): KeySnapshot {
    const records = this.#database.all<KeyRecord>("SELECT kid, key, exp FROM keys ORDER BY kid");
    return { records, check: readCheck(this.#database) };
  }

  #putKeys(records: readonly KeyRecord[]): void {
    for (const { kid, key, exp } of records) {
      this.#database.run(
        "INSERT INTO keys (kid, key, exp) VALUES (?, ?, ?) " +
          "ON CONFLICT (kid) DO UPDATE SET key = excluded.key, exp = excluded.exp",
        kid,
        key,
        exp,
      );
    }
  }

  #transaction<Result>(body: () => Result): Promise<Result> {
    return this.#later(() => this.#database.transaction(body));
  }

  /**
   * SQLite answers at once, or is locked: then others wait for the lock without holding up the
   * event loop.
   */
  async #later<Result>(body: () => Result): Promise<Result> {
    for (let attempt = 1;; attempt++) {
      try {
        return body();
      } catch (error) {
        const isLocked = error instanceof StorageUnavailableError && error.fault === "locked";
        if (!isLocked || attempt === LOCK_ATTEMPTS) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, LOCK_INTERVAL));
    }
  }
}

function toUser(row: UserRow): UserRecord {
  return {
    id: row.id,
    username: row.username,
    passwordHash: row.password_hash,
    email: row.email,
    dateRegistered: row.date_registered,
    lastLogin: row.last_login,
  };
}

function isSameSnapshot(one: KeySnapshot, other: KeySnapshot): boolean {
  return isSameBytes(one.check, other.check) && one.records.length === other.records.length &&
    one.records.every((record, index) => isSameRecord(record, other.records[index]!));
}
