/**
 * What the server keeps: keys, users, what these have as clients, the authentication log and a few
 * named values. This room is an interface, its records, and one folder for each engine behind it; it
 * imports `lib/base` alone. Any implementation must pass the suite in
 * `tests/storage/storage_conformance.ts`. Every method rejects with the code `storage_unavailable`
 * when the storage cannot be used just now. It has then changed nothing, but for one case: when a
 * server was asked for a change and no answer came (the fault `unreachable`), it was made as a whole
 * or not at all, and nobody can say which. Who needs to know reads it again.
 */

import type { StorageFault } from "../base/errors.ts";
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
  SeenServer,
  ServerRecord,
  UserQuery,
  UserRecord,
} from "./records.ts";

export type * from "./records.ts";

/** Why something could not be done; `other` is a fault of the program or of the schema. */
export type StorageFailure = StorageFault | "other";

export interface KeyStorage {
  /**
   * A number that grows with every change of what `readKeys` gives.
   *
   * @param maxAge what was learned no longer ago, in milliseconds, may be given without asking; where
   * asking costs next to nothing, it is asked. Without it, always.
   */
  revision(maxAge?: number): Promise<number>;

  /** Rejects with `database_unusable` when half of it is lost, or all of it although there are keys. */
  readKeyEncryption(): Promise<KeyEncryptionRecord | undefined>;
  /** Stores the record when there is none yet; says whether it did. Rejects as reading it does. */
  createKeyEncryption(record: KeyEncryptionRecord): Promise<boolean>;

  readKeys(): Promise<KeySnapshot>;
  /**
   * Applies `change` when the keys, what they are sealed under and their policy still are as in
   * `expected`; says whether it did. This is what lets slow work happen outside the transaction.
   */
  changeKeys(expected: KeySnapshot, change: KeyChange): Promise<boolean>;
  /**
   * Replaces every key and what they are sealed under, in one transaction, when nothing has changed
   * since `expected`; says whether it did.
   */
  rekey(
    expected: KeySnapshot,
    records: readonly KeyRecord[],
    keyEncryption: KeyEncryptionRecord,
  ): Promise<boolean>;
  /** Stores the policy that the keys are kept by from now on, as bytes that only the ring reads. */
  writePolicy(policy: Uint8Array): Promise<void>;
}

export interface UserStorage {
  /**
   * Stores a user; `undefined` when the name or the address is taken, in any ASCII case, or the
   * name was deleted.
   */
  createUser(user: NewUser): Promise<UserRecord | undefined>;
  /** The user of that name, in any ASCII case. */
  findUser(username: string): Promise<UserRecord | undefined>;
  /** The user of that address, in any ASCII case. */
  findUserByEmail(email: string): Promise<UserRecord | undefined>;
  /** A page of the users, in the order of their ids, which is that of registration. */
  listUsers(query: UserQuery): Promise<UserRecord[]>;
  /** At most so many password hashes, as they stand in `users`, spread over all users. */
  samplePasswordHashes(count: number): Promise<string[]>;
  /** Replaces a password hash, unless it changed since it was read; says whether it did. */
  replacePasswordHash(userId: RowId, from: string, to: string): Promise<boolean>;
}

/** What a client has beyond its user, and what is left of one that was deleted. */
export interface ClientStorage {
  /** The client of that name, in any ASCII case, as it is at one moment. */
  findClient(username: string): Promise<ClientRecord | undefined>;
  /**
   * Replaces a client's policy (JSON, `undefined` for none), unless it changed since it was read;
   * says whether it did.
   */
  replaceClientPolicy(
    userId: RowId,
    from: string | undefined,
    to: string | undefined,
  ): Promise<boolean>;
  /** Stores a public key; false when the client has one of this `kid`, or is no more. */
  addCredential(userId: RowId, key: NewKeyCredential): Promise<boolean>;
  /** Removes the public key of this `kid`; says whether there was one. */
  removeCredential(userId: RowId, kid: string): Promise<boolean>;
  /**
   * Replaces the current password, unless it changed since it was read; says whether it did. Every
   * other password of the client ends with that, but for the one that is `kept`.
   */
  replacePassword(userId: RowId, replacement: PasswordReplacement): Promise<boolean>;
  /**
   * Deletes a user with all that is kept of it as a client; its rows in the authentication log lose
   * the user, and its name is never given again. False, with nothing written, without such a user.
   */
  deleteUser(userId: RowId, nameHash: Uint8Array): Promise<boolean>;
  /**
   * Applies all of `changes`, or nothing: not when one of the clients in `expected` is another by
   * now (but for when it was last used), nor when one of the changes cannot be made, as with a name
   * or an address that is taken and a name that was deleted. Says whether it did.
   */
  applyClients(expected: readonly ClientRecord[], changes: ClientChanges): Promise<boolean>;
  /** The keyed hashes of the names that were deleted. */
  readTombstones(): Promise<Uint8Array[]>;
  /**
   * The key that names are hashed under. When there is none yet it is `fresh` from now on. Rejects
   * with `database_unusable` when it is lost although names were deleted.
   */
  nameKey(fresh: Uint8Array): Promise<Uint8Array>;
}

export interface AuthenticationStorage {
  /**
   * Appends to the authentication log and, on success, sets the user's last login and when the
   * credential was last used (each at most once a minute). Durable. When the user's password hash or
   * the credential is not as it was checked, or the credential is not valid at that time any more,
   * nothing is written, and the answer is `undefined`.
   *
   * @returns what `revision()` was when that was written.
   */
  recordAuthentication(record: AuthenticationRecord): Promise<number | undefined>;
  /** The id after which those entries begin that are asked for. */
  seekAuthentications(start: AuthenticationStart): Promise<RowId>;
  /** Entries in the order of their ids. */
  readAuthentications(query: AuthenticationQuery): Promise<AuthenticationEntry[]>;
  /** The entries with the latest times, latest first. */
  newestAuthentications(limit: number): Promise<AuthenticationEntry[]>;
  /** What happened since then, in milliseconds since the epoch. */
  countAuthentications(since: number): Promise<AuthenticationCount>;
  /** Deletes at most `limit` log rows older than `before` (milliseconds); says how many. */
  purgeAuthentications(before: number, limit: number): Promise<number>;
}

/** Where the servers on one storage tell each other, and their operator, of themselves. */
export interface ServerRegistry {
  /**
   * Puts what a server says of itself in the place of what it said before, and gives the time by the
   * storage's own clock, in milliseconds since the epoch.
   */
  tell(server: ServerRecord): Promise<number>;
  /** Those of the last day, the one seen last first. */
  list(): Promise<SeenServer[]>;
}

/** Where what may be used once is remembered for all servers on one storage. */
export interface UseRegistry {
  /**
   * Uses what has this digest, and remembers it for as long as any server's clock may show a time
   * before `until` (seconds since the epoch). False when it was used before.
   */
  use(digest: Uint8Array, until: number): Promise<boolean>;
}

/** How busy the connections to a server are. */
export interface ConnectionCounts {
  /** How many there are. */
  readonly size: number;
  /** How many of them nobody uses. */
  readonly idle: number;
  /** How many calls wait for one. */
  readonly waiting: number;
}

export interface Storage extends KeyStorage, UserStorage, ClientStorage, AuthenticationStorage {
  /**
   * Rejects with `storage_unavailable` when nothing can be written just now. It writes as durably as
   * everything else is written, and changes nothing that can be read, nor how much there is.
   */
  assertWritable(): Promise<void>;
  /** A server works on it from now on, until `endRun`. */
  beginRun(): Promise<void>;
  endRun(): Promise<void>;
  /** Where servers on several machines may share the storage; else `undefined`. */
  readonly servers: ServerRegistry | undefined;
  /** The same: where there is none, what each process remembers by itself is all that there is. */
  readonly uses: UseRegistry | undefined;
  /** Those to the server that keeps it; `undefined` where it is kept by this process itself. */
  readonly connections: ConnectionCounts | undefined;
  /** How often something was asked of it that it could not do, by the reason, since it was opened. */
  readonly failures: Readonly<Record<StorageFailure, number>>;
  close(): Promise<void>;
}
