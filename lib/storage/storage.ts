/**
 * What the server keeps: keys, users, the authentication log and a few named values. Any
 * implementation must pass the conformance suite in `tests/storage_conformance.ts`. Every method
 * rejects with `StorageUnavailableError` when the storage cannot be used just now, and has then
 * changed nothing.
 */

import { isSameBytes } from "../base/bytes.ts";

/** A row of `keys`: a private key as an encrypted JWK (a compact JWE, as bytes). */
export interface KeyRecord {
  /** The millisecond at which the key was made. */
  kid: number;
  key: Uint8Array;
  /** When the key leaves the published set, in seconds since the epoch. */
  exp: number;
}

/** What `changeKeys` does, in one transaction. */
export interface KeyChange {
  /** Rows written, new or in place of the row with the same `kid`. */
  put: readonly KeyRecord[];
  /** The `kid`s of the rows deleted. */
  remove: readonly number[];
}

/** The keys together with the check value of the key-encryption key that they are sealed under. */
export interface KeySnapshot {
  /** In the order of `kid`. */
  records: readonly KeyRecord[];
  check: Uint8Array;
}

/** What is kept of the secret: enough to derive the key-encryption key from it and to check it. */
export interface KeyEncryptionRecord {
  /** How the key is derived: JSON, without any secret. */
  derivation: Uint8Array;
  /** A value sealed under the key, which only the right secret opens. */
  check: Uint8Array;
}

/** A row of `users`. Times are UTC in the form `YYYY-MM-DD HH:MM:SS`. */
export interface UserRecord {
  id: number;
  username: string;
  passwordHash: string;
  email: string | null;
  dateRegistered: string;
  lastLogin: string | null;
}

/** A user to be; `at` is in milliseconds since the epoch. */
export interface NewUser {
  username: string;
  email: string;
  passwordHash: string;
  at: number;
}

/** One checked authentication: `user` is `null` when the password was not right. */
export interface AuthenticationRecord {
  ip: string;
  /** In milliseconds since the epoch. */
  at: number;
  /** The user as it was when its password was checked. */
  user: Pick<UserRecord, "id" | "passwordHash"> | null;
}

/** A row of `auth_logs` with the user's name: both are `null` when the password was not right. */
export interface AuthenticationEntry {
  id: number;
  ip: string;
  /** UTC, in the form `YYYY-MM-DD HH:MM:SS`. */
  timestamp: string;
  username: string | null;
}

/** Which entries of the authentication log are asked for. */
export interface AuthenticationQuery {
  /** Only entries with a greater id. */
  afterId: number;
  /** Only entries since then, in milliseconds since the epoch. */
  since: number;
  /** Only this user's, in any ASCII case. */
  username?: string | undefined;
  limit: number;
}

export interface Storage {
  /**
   * A number that differs from the last one when another connection or process has changed
   * anything. Cheap enough for every request.
   */
  version(): Promise<number>;

  readKeyEncryption(): Promise<KeyEncryptionRecord | undefined>;
  /** Stores the record when there is none yet; says whether it did. */
  createKeyEncryption(record: KeyEncryptionRecord): Promise<boolean>;

  readKeys(): Promise<KeySnapshot>;
  /**
   * Applies `change` when the keys, and what they are sealed under, still are exactly `expected`;
   * says whether it did. This is what lets slow work happen outside the transaction.
   */
  changeKeys(expected: KeySnapshot, change: KeyChange): Promise<boolean>;
  /**
   * Replaces every key and what they are sealed under, in one transaction, when both still are
   * `expected`; says whether it did.
   */
  rekey(
    expected: KeySnapshot,
    records: readonly KeyRecord[],
    keyEncryption: KeyEncryptionRecord,
  ): Promise<boolean>;

  /** Stores a user; `undefined` when the name or the address is taken, in any ASCII case. */
  createUser(user: NewUser): Promise<UserRecord | undefined>;
  /** The user of that name, in any ASCII case. */
  findUser(username: string): Promise<UserRecord | undefined>;
  /** In the order of registration. */
  listUsers(): Promise<UserRecord[]>;
  /** Replaces a password hash, unless it changed since it was read; says whether it did. */
  replacePasswordHash(userId: number, from: string, to: string): Promise<boolean>;

  /**
   * Appends to the authentication log and, on success, sets the user's last login. Durable. When
   * the user's password hash has changed since it was checked, the entry is that of a failure, and
   * the answer is false.
   */
  recordAuthentication(record: AuthenticationRecord): Promise<boolean>;
  /** Entries in the order of their ids. */
  readAuthentications(query: AuthenticationQuery): Promise<AuthenticationEntry[]>;
  /** The entries with the latest times, latest first. */
  newestAuthentications(limit: number): Promise<AuthenticationEntry[]>;
  /** How many authentications succeeded since then (milliseconds), and the newest one's time. */
  countAuthentications(since: number): Promise<{ count: number; newest: string | null }>;
  /** Deletes at most `limit` log rows older than `before` (milliseconds); says how many. */
  purgeAuthentications(before: number, limit: number): Promise<number>;

  close(): Promise<void>;
}

/** Whether two rows of `keys` are the same to the byte. */
export function isSameRecord(one: KeyRecord, other: KeyRecord): boolean {
  return one.kid === other.kid && one.exp === other.exp && isSameBytes(one.key, other.key);
}

/** `milliseconds` since the epoch as SQL's `TIMESTAMP` text, in UTC. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ");
}
