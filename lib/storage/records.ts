/** The records that storage takes and gives: rows, changes of them, and what is asked for. */

/** A row's number; as text when it is larger than JavaScript's numbers are exact. */
export type RowId = number | string;

/** A row of `keys`: a private key as an encrypted JWK (a compact JWE, as bytes). */
export interface KeyRecord {
  /** The row's number, in the column `kid`: the millisecond at which the key was made. */
  id: number;
  key: Uint8Array;
  /** When the key leaves the published set, in seconds since the epoch. */
  exp: number;
}

/** A row of `keys` that holds a number which no key of this program has. */
export interface OddRow {
  /** The row's number as text: it may be larger than numbers are exact. */
  id: string;
  reason: string;
}

/** What `changeKeys` does, in one transaction. */
export interface KeyChange {
  /** Rows written, new or in place of the row with the same `id`. */
  put: readonly KeyRecord[];
  /** The `id`s of the rows deleted. */
  remove: readonly RowId[];
}

/** The keys together with what they are sealed under and the policy that they are kept by. */
export interface KeySnapshot {
  /** What `revision()` was. */
  revision: number;
  /** In the order of `id`. */
  records: readonly KeyRecord[];
  odd: readonly OddRow[];
  /** The check value of the key-encryption key; empty when there is none yet. */
  check: Uint8Array;
  /** The policy of `writePolicy`, or `undefined` when none was ever written. */
  policy: Uint8Array | undefined;
}

/** What is kept of the secret: enough to derive the key-encryption key from it and to check it. */
export interface KeyEncryptionRecord {
  /** How the key is derived: JSON, without any secret. */
  derivation: Uint8Array;
  /** A value sealed under the key, which only the right secret opens. */
  check: Uint8Array;
}

/**
 * A row of `users`. Times are in milliseconds since the epoch; `null` where what stands there is no
 * time as this program writes them.
 */
export interface UserRecord {
  id: RowId;
  username: string;
  passwordHash: string;
  email: string | null;
  dateRegistered: number | null;
  /** To within a minute; `null` also before the first login. */
  lastLogin: number | null;
}

/** A user to be; `at` is in milliseconds since the epoch. */
export interface NewUser {
  username: string;
  /** `null`: it has none. */
  email: string | null;
  passwordHash: string;
  at: number;
  /** The keyed hash of the lower-cased name; one that was deleted is refused by it. */
  nameHash?: Uint8Array;
}

/** A credential beside the current password. Times are in milliseconds since the epoch. */
export interface CredentialRecord {
  id: RowId;
  /** A password that was replaced and still stands, or a public key. */
  type: "password" | "key";
  /** A key's name, unique among the client's; `null` of a password. */
  kid: string | null;
  /** A password's hash as a PHC string, or a public key as a JWK (JSON). */
  value: string;
  /** When it was put on record: a key when it was added, a password when it was replaced. */
  createdAt: number;
  /** The first moment at which it is not valid any more; `null`: it has no end. */
  validUntil: number | null;
  /** When it was last used, to within a minute; `null`: never. */
  lastUsed: number | null;
}

/** A user with everything that is kept of it as a client. */
export interface ClientRecord {
  user: UserRecord;
  /** The policy as it was written (JSON), or `undefined` when none ever was. */
  policy: string | undefined;
  /** In the order in which they were put on record, also those that have ended. */
  credentials: readonly CredentialRecord[];
}

/** A public key to be a credential; `at` and `validUntil` in milliseconds since the epoch. */
export interface NewKeyCredential {
  kid: string;
  /** The public key as a JWK (JSON). */
  value: string;
  at: number;
  validUntil?: number;
}

/** How a password is replaced. Hashes are as they stand in `users`. */
export interface PasswordReplacement {
  /** The hash that was read. */
  from: string;
  to: string;
  /** A hash that stays valid until then beside the new one; times in milliseconds. */
  kept?: { value: string; at: number; validUntil: number } | undefined;
}

/** A client to be, with all that it has from the start. */
export interface NewClient extends NewUser {
  /** JSON; without it, the client has no policy. */
  policy?: string | undefined;
  keys: readonly NewKeyCredential[];
}

/** How a client is changed; what is not there stays as it is. */
export interface ClientUpdate {
  userId: RowId;
  email?: string;
  /** Hashes as they stand in `users`; with `endsOthers`, every other password ends. */
  passwordHash?: { from: string; to: string; endsOthers: boolean };
  /** JSON; `null` removes the policy. */
  policy?: string | null;
  /** The kids of keys that are removed, before those of `addKeys` are added. */
  removeKeys: readonly string[];
  addKeys: readonly NewKeyCredential[];
}

/** What `applyClients` does, in one transaction: it removes, then updates, then creates. */
export interface ClientChanges {
  remove: readonly { userId: RowId; nameHash: Uint8Array }[];
  update: readonly ClientUpdate[];
  create: readonly NewClient[];
}

/** One checked authentication: `user` is `null` when the password was not right. */
export interface AuthenticationRecord {
  ip: string;
  /** In milliseconds since the epoch. */
  at: number;
  /** The user as it was when its credential was checked. */
  user: Pick<UserRecord, "id" | "passwordHash"> | null;
  /** The credential as it was checked, when it was not the current password. */
  credential?: Pick<CredentialRecord, "id" | "value"> | undefined;
}

/** A row of `auth_logs` with the user's name: both are `null` when the password was not right. */
export interface AuthenticationEntry {
  id: RowId;
  ip: string;
  /** In milliseconds since the epoch; `null` when another program has written something else. */
  at: number | null;
  /** What that program has written, as text; else `null`. */
  oddTime: string | null;
  username: string | null;
}

/** What the authentication log says of a while. */
export interface AuthenticationCount {
  /** How many authentications succeeded. */
  count: number;
  /** The time of the newest of them, in milliseconds since the epoch; `null` without any. */
  newest: number | null;
  /** The id of a row whose timestamp is no time, if there is one. */
  odd: RowId | null;
}

/** Which users are asked for. */
export interface UserQuery {
  /** Only users with a greater id; without it, from the first on. */
  afterId?: RowId | undefined;
  limit: number;
}

/** Where in the authentication log to begin. */
export interface AuthenticationStart {
  /** At the first entry since then, in milliseconds since the epoch. */
  since: number;
  /** Only this user's entries count, in any ASCII case. */
  username?: string | undefined;
  /** Only so many of the entries since then, the last. */
  last?: number | undefined;
}

/** Which entries of the authentication log are asked for. */
export interface AuthenticationQuery {
  /** Only entries with a greater id. */
  afterId: RowId;
  /** Only entries since then, in milliseconds since the epoch. */
  since: number;
  /** Only this user's, in any ASCII case. */
  username?: string | undefined;
  limit: number;
}

/** What a server tells others of itself, where several may work on one storage. */
export interface ServerRecord {
  /** Random, made when the process began. */
  id: string;
  /** The name of its machine, and the port on which it listens. */
  host: string;
  /** Its program's version. */
  version: string;
  /** What its own clock showed when it told this, in milliseconds since the epoch. */
  at: number;
  /** The check value of the secret that it has. */
  check: Uint8Array;
  /** What stands in its tokens as the issuer; `null` when each request names that. */
  issuer: string | null;
  /** Where it counts requests together with others, for people; `null` when it counts alone. */
  limitedAt: string | null;
}

/** What is known of a server, in milliseconds since the epoch by the storage's own clock. */
export interface SeenServer extends ServerRecord {
  seenAt: number;
}
