/**
 * The storage that several servers share, over a pool of connections to PostgreSQL. Transactions are
 * READ COMMITTED: what has to be one after the other waits for one row, and all else goes on.
 */

import type { MonotonicClock } from "../../base/clock.ts";
import { countFailure, noFailures } from "../failure_counts.ts";
import type {
  AuthenticationCount,
  AuthenticationEntry,
  AuthenticationQuery,
  AuthenticationRecord,
  AuthenticationStart,
  ClientChanges,
  ClientRecord,
  ConnectionCounts,
  KeyChange,
  KeyEncryptionRecord,
  KeyRecord,
  KeySnapshot,
  NewKeyCredential,
  NewUser,
  PasswordReplacement,
  RowId,
  ServerRegistry,
  Storage,
  UseRegistry,
  UserQuery,
  UserRecord,
} from "../storage.ts";
import * as authLogs from "./auth_logs_table.ts";
import { recordAuthentication } from "./authentication_record.ts";
import { applyClients } from "./client_changes.ts";
import * as clients from "./clients_tables.ts";
import { bindable } from "./columns.ts";
import * as keys from "./keys_table.ts";
import { KnownRevision } from "./known_revision.ts";
import * as meta from "./meta.ts";
import type { PostgresPool, StatementOptions, TransactionOptions } from "./pool.ts";
import * as servers from "./servers_table.ts";
import { unlessSuperseded } from "../superseded.ts";
import type { Statements } from "./transaction.ts";
import * as usedIds from "./used_ids_table.ts";
import * as users from "./users_table.ts";
import { assertWritable } from "./writability.ts";

/**
 * How long an operator's transaction may take in all, in milliseconds: there may be many keys or
 * clients to write, or millions of entries that lose their user. No request of a client's does this.
 */
const LONG = { timeout: 60_000 };

/** What every login asks for. */
const FREQUENT = { isFrequent: true };

type Work<Result> = (statements: Statements) => Promise<Result>;

/** Statements whose values are made such as PostgreSQL can hold. */
function bound(query: Statements["query"]): Statements {
  return { query: (sql, values = []) => query(sql, values.map(bindable)) };
}

/** A `Storage` over a pool, which it owns from then on. */
export class PostgresStorage implements Storage {
  readonly failures = noFailures();
  readonly servers: ServerRegistry = {
    tell: (server) => {
      this.#told.add(server.id);
      return this.#write((statements) => servers.tell(statements, server));
    },
    list: () => this.#read(servers.list),
  };
  readonly uses: UseRegistry = {
    use: (digest, until) => this.#write((statements) => usedIds.use(statements, digest, until)),
  };
  readonly #pool: PostgresPool;
  readonly #revision: KnownRevision;
  /** The servers that have told of themselves through this storage. */
  readonly #told = new Set<string>();

  constructor(pool: PostgresPool, now: MonotonicClock = () => performance.now()) {
    this.#pool = pool;
    this.#revision = new KnownRevision(now);
  }

  get connections(): ConnectionCounts {
    return this.#pool;
  }

  revision(maxAge?: number): Promise<number> {
    const ask = () => this.#read(meta.readRevision);
    return maxAge === undefined
      ? this.#revision.learn(ask, (revision) => revision)
      : this.#revision.get(maxAge, ask);
  }

  readKeyEncryption(): Promise<KeyEncryptionRecord | undefined> {
    return this.#read(meta.readKeyEncryption);
  }

  createKeyEncryption(record: KeyEncryptionRecord): Promise<boolean> {
    return this.#changeKeys((tx) => meta.createKeyEncryption(tx, record));
  }

  readKeys(): Promise<KeySnapshot> {
    return this.#revision.learn(() => this.#read(keys.readKeys), ({ revision }) => revision);
  }

  changeKeys(expected: KeySnapshot, change: KeyChange): Promise<boolean> {
    return this.#changeKeys((tx) => keys.changeKeys(tx, expected, change));
  }

  rekey(
    expected: KeySnapshot,
    records: readonly KeyRecord[],
    keyEncryption: KeyEncryptionRecord,
  ): Promise<boolean> {
    const replace: Work<boolean> = (tx) => keys.replaceKeys(tx, expected, records, keyEncryption);
    return this.#changeKeys(replace, LONG);
  }

  writePolicy(policy: Uint8Array): Promise<void> {
    return this.#changeKeys((tx) => meta.writePolicy(tx, policy));
  }

  createUser(user: NewUser): Promise<UserRecord | undefined> {
    return unlessSuperseded(this.#transaction((tx) => users.createUser(tx, user)));
  }

  findUser(username: string): Promise<UserRecord | undefined> {
    return this.#read((statements) => users.findUser(statements, username));
  }

  findUserByEmail(email: string): Promise<UserRecord | undefined> {
    return this.#read((statements) => users.findUserByEmail(statements, email));
  }

  listUsers(query: UserQuery): Promise<UserRecord[]> {
    return this.#read((statements) => users.listUsers(statements, query));
  }

  samplePasswordHashes(count: number): Promise<string[]> {
    return this.#read((statements) => users.samplePasswordHashes(statements, count));
  }

  replacePasswordHash(userId: RowId, from: string, to: string): Promise<boolean> {
    return this.#write((statements) => users.replacePasswordHash(statements, userId, from, to));
  }

  findClient(username: string): Promise<ClientRecord | undefined> {
    return this.#read((statements) => clients.findClient(statements, username), FREQUENT);
  }

  replaceClientPolicy(
    userId: RowId,
    from: string | undefined,
    to: string | undefined,
  ): Promise<boolean> {
    return this.#write((statements) => clients.replaceClientPolicy(statements, userId, from, to));
  }

  addCredential(userId: RowId, key: NewKeyCredential): Promise<boolean> {
    return this.#write((statements) => clients.addCredential(statements, userId, key));
  }

  removeCredential(userId: RowId, kid: string): Promise<boolean> {
    return this.#write((statements) => clients.removeCredential(statements, userId, kid));
  }

  replacePassword(userId: RowId, replacement: PasswordReplacement): Promise<boolean> {
    // Done without a word of it, the client would have lost the one password and not got the other.
    return this.#transaction((tx) => clients.replacePassword(tx, userId, replacement));
  }

  deleteUser(userId: RowId, nameHash: Uint8Array): Promise<boolean> {
    return this.#transaction((tx) => users.deleteUser(tx, userId, nameHash), LONG);
  }

  async applyClients(expected: readonly ClientRecord[], changes: ClientChanges): Promise<boolean> {
    const applied = this.#transaction(async (tx) => {
      await applyClients(tx, expected, changes);
      return true;
    }, LONG);
    return await unlessSuperseded(applied) ?? false;
  }

  readTombstones(): Promise<Uint8Array[]> {
    return this.#read(users.readTombstones);
  }

  async nameKey(fresh: Uint8Array): Promise<Uint8Array> {
    return await this.#read(meta.readNameKey) ??
      await this.#transaction((tx) => meta.createNameKey(tx, fresh));
  }

  recordAuthentication(record: AuthenticationRecord): Promise<number | undefined> {
    return this.#revision.learn(
      () => this.#write((statements) => recordAuthentication(statements, record), FREQUENT),
      (revision) => revision,
    );
  }

  seekAuthentications(start: AuthenticationStart): Promise<RowId> {
    return this.#read((statements) => authLogs.seekAuthentications(statements, start));
  }

  readAuthentications(query: AuthenticationQuery): Promise<AuthenticationEntry[]> {
    return this.#read((statements) => authLogs.readAuthentications(statements, query));
  }

  newestAuthentications(limit: number): Promise<AuthenticationEntry[]> {
    return this.#read((statements) => authLogs.newestAuthentications(statements, limit));
  }

  countAuthentications(since: number): Promise<AuthenticationCount> {
    return this.#read((statements) => authLogs.countAuthentications(statements, since));
  }

  purgeAuthentications(before: number, limit: number): Promise<number> {
    return this.#write((statements) => authLogs.purgeAuthentications(statements, before, limit));
  }

  async assertWritable(): Promise<void> {
    await this.#write(assertWritable);
  }

  /** The server is told of by what it tells itself. */
  beginRun(): Promise<void> {
    return Promise.resolve();
  }

  /** Removes what servers have told through this storage. */
  async endRun(): Promise<void> {
    if (this.#told.size === 0) return;
    await this.#write((statements) => servers.leave(statements, [...this.#told]));
    this.#told.clear();
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  /** A transaction that may change the keys. */
  #changeKeys<Result>(work: Work<Result>, options?: TransactionOptions): Promise<Result> {
    return this.#revision.during(() => this.#transaction(work, options));
  }

  /** Statements that each are of one moment. */
  #read<Result>(work: Work<Result>, options?: StatementOptions): Promise<Result> {
    return this.#counted(work(bound((sql, values) => this.#pool.read(sql, values, options))));
  }

  /** Statements that each take effect by themselves. */
  #write<Result>(work: Work<Result>, options?: StatementOptions): Promise<Result> {
    return this.#counted(work(bound((sql, values) => this.#pool.write(sql, values, options))));
  }

  #transaction<Result>(work: Work<Result>, options?: TransactionOptions): Promise<Result> {
    const run: Work<Result> = (tx) => work(bound((sql, values) => tx.query(sql, values)));
    return this.#counted(this.#pool.transaction(run, options));
  }

  async #counted<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (error) {
      countFailure(this.failures, error);
      throw error;
    }
  }
}
