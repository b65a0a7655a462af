/** The database's schema, as the ordered list of steps that lead to it. */

/** Counts a change of the keys, or of what they are sealed under and kept by, whoever makes it. */
const COUNT_CHANGE = `
  INSERT INTO meta (name, value) VALUES ('keys_revision', 1)
    ON CONFLICT (name) DO UPDATE SET value = value + 1;
`;

/**
 * Each migration is applied once, in a transaction of its own; `PRAGMA user_version` counts them.
 * A migration that has been released is never changed: add one.
 */
export const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE keys (
      kid INTEGER PRIMARY KEY,
      key BLOB NOT NULL,
      exp INTEGER NOT NULL
    )`,
    `CREATE TABLE users (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      username TEXT NOT NULL UNIQUE,
      password_hash TEXT NOT NULL,
      email TEXT UNIQUE,
      date_registered TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
      last_login TIMESTAMP
    )`,
    "CREATE UNIQUE INDEX users_username_nocase ON users (username COLLATE NOCASE)",
    "CREATE UNIQUE INDEX users_email_nocase ON users (email COLLATE NOCASE)",
    `CREATE TABLE auth_logs (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      request_ip TEXT NOT NULL,
      request_timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
      user_id INTEGER REFERENCES users (id)
    )`,
    "CREATE INDEX auth_logs_request_timestamp ON auth_logs (request_timestamp)",
    `CREATE TABLE meta (
      name TEXT PRIMARY KEY,
      value BLOB NOT NULL
    )`,
  ],
  [
    ...["INSERT", "UPDATE", "DELETE"].flatMap((event) => [
      `CREATE TRIGGER keys_${event.toLowerCase()} AFTER ${event} ON keys BEGIN ${COUNT_CHANGE} END`,
      `CREATE TRIGGER meta_${event.toLowerCase()} AFTER ${event} ON meta
        WHEN ${event === "DELETE" ? "old" : "new"}.name <> 'keys_revision'
        BEGIN ${COUNT_CHANGE} END`,
    ]),
  ],
  [
    `CREATE TABLE client_policies (
      user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
      policy TEXT NOT NULL
    )`,
    `CREATE TABLE client_credentials (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      type TEXT NOT NULL CHECK (type IN ('password', 'key')),
      kid TEXT,
      value TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      valid_until INTEGER,
      last_used INTEGER
    )`,
    "CREATE INDEX client_credentials_user ON client_credentials (user_id)",
    "CREATE UNIQUE INDEX client_credentials_kid ON client_credentials (user_id, kid) " +
    "WHERE kid IS NOT NULL",
    "CREATE TABLE tombstones (name_hash BLOB PRIMARY KEY)",
    // The key of the names is none of what the keys are sealed under.
    ...["INSERT", "UPDATE", "DELETE"].flatMap((event) => [
      `DROP TRIGGER meta_${event.toLowerCase()}`,
      `CREATE TRIGGER meta_${event.toLowerCase()} AFTER ${event} ON meta
        WHEN ${event === "DELETE" ? "old" : "new"}.name NOT IN ('keys_revision', 'name_key')
        BEGIN ${COUNT_CHANGE} END`,
    ]),
  ],
  [
    // Of a password that was not right there is no user to look for.
    "CREATE INDEX auth_logs_user ON auth_logs (user_id) WHERE user_id IS NOT NULL",
    // Whether a server runs is none of what the keys are kept by.
    ...["INSERT", "UPDATE", "DELETE"].flatMap((event) => [
      `DROP TRIGGER meta_${event.toLowerCase()}`,
      `CREATE TRIGGER meta_${event.toLowerCase()} AFTER ${event} ON meta
        WHEN ${event === "DELETE" ? "old" : "new"}.name NOT IN
          ('keys_revision', 'name_key', 'running')
        BEGIN ${COUNT_CHANGE} END`,
    ]),
  ],
];

/** The version of the schema that this program writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** The tables that a database of any version has. */
export const TABLES = ["keys", "users", "auth_logs", "meta"] as const;

/** The tables that a database has since version 3. */
export const CLIENT_TABLES = ["client_policies", "client_credentials", "tombstones"] as const;

/** The tables that a database of this version has. */
export function tablesOf(version: number): readonly string[] {
  return version < 3 ? TABLES : [...TABLES, ...CLIENT_TABLES];
}
