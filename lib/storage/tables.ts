/**
 * What stands in a storage, whichever engine keeps it: tables, rows and values as a copy takes them
 * from one storage to another.
 */

/** What a column holds, `user` being the id of one; how an engine keeps it is its own affair. */
export type ColumnKind = "integer" | "user" | "text" | "bytes" | "time";

export interface Column {
  name: string;
  kind: ColumnKind;
  /** Whether there may be no value. */
  isOptional: boolean;
}

export interface Table {
  name: TableName;
  columns: readonly Column[];
  /** The column by which its rows are told apart and ordered: bytes by their value. */
  key: string;
  /** Whether the storage gives the rows their numbers: none is ever given twice. */
  isNumbered: boolean;
  /** The keys of rows that are no part of it: what a storage keeps there for itself. */
  without: readonly string[];
}

/**
 * A value: an integer of 64 bits as decimal text, since JavaScript's numbers are not exact; a time as
 * `YYYY-MM-DD HH:MM:SS` in UTC; text without NUL characters; bytes.
 */
export type Value = string | Uint8Array | null;

/** The values of a row, in the order of the table's columns. */
export type Row = readonly Value[];

/** A value that is none of its column's kind: another program wrote it. */
export interface OddValue {
  table: TableName;
  /** The condition that finds the row in SQL. */
  where: string;
  column: string;
  reason: string;
}

/** Some rows of a table, without those that hold an odd value. */
export interface Page {
  rows: readonly Row[];
  odd: readonly OddValue[];
}

/** An engine that need not wait answers at once. */
type Awaitable<Result> = Result | Promise<Result>;

/** Gives what stands in a storage at one moment. It fails as the methods of `Storage` do. */
export interface TableReader {
  /** The number of its rows. */
  count(table: Table): Awaitable<number>;
  /** Its rows in the order of the key, at most `PAGE_ROWS` at a time. */
  pages(table: Table): Iterable<Page> | AsyncIterable<Page>;
  /** The greatest number that a row of a numbered table was ever given; `0` before the first. */
  lastNumber(table: Table): Awaitable<string>;
  /** The number of changes of the keys, as `KeyStorage.revision` gives it. */
  revision(): Awaitable<number>;
  /** What others have added, in words: it is no part of what is read. */
  additions(): Awaitable<readonly string[]>;
  /** Whether a server works on it, as far as it can be told. */
  isServed(): Awaitable<boolean>;
}

/** Takes rows into a storage, all of them or none; it gives what it has taken so far. */
export interface TableWriter extends TableReader {
  /** Appends rows. */
  write(table: Table, rows: readonly Row[]): Awaitable<void>;
  /** The next row that the storage numbers is given the number after this one. */
  setLastNumber(table: Table, number: string): Awaitable<void>;
  setRevision(revision: number): Awaitable<void>;
}

/** Runs `body` on what stands in a storage at one moment; other work on it goes on. */
export type ReadTables = <Result>(
  body: (reader: TableReader) => Promise<Result>,
) => Promise<Result>;

/** Runs `body` in a transaction: when it fails, the storage is left as it was. */
export type WriteTables = <Result>(
  body: (writer: TableWriter) => Promise<Result>,
) => Promise<Result>;

/** How many rows are read and written at a time. */
export const PAGE_ROWS = 1000;

export type TableName =
  | "keys"
  | "users"
  | "auth_logs"
  | "meta"
  | "client_policies"
  | "client_credentials"
  | "tombstones";

/** Every table, those first that others refer to. */
export const TABLES: readonly Table[] = [
  table("keys", { kid: "integer", key: "bytes", exp: "integer" }),
  table("users", {
    id: "integer",
    username: "text",
    password_hash: "text",
    email: "text?",
    date_registered: "time?",
    last_login: "time?",
  }, { isNumbered: true }),
  table("auth_logs", {
    id: "integer",
    request_ip: "text",
    request_timestamp: "time?",
    user_id: "user?",
  }, { isNumbered: true }),
  table("meta", { name: "text", value: "bytes" }, { without: ["keys_revision", "running"] }),
  table("client_policies", { user_id: "user", policy: "text" }),
  table("client_credentials", {
    id: "integer",
    user_id: "user",
    type: "text",
    kid: "text?",
    value: "text",
    created_at: "integer",
    valid_until: "integer?",
    last_used: "integer?",
  }, { isNumbered: true }),
  table("tombstones", { name_hash: "bytes" }),
];

/** The first column is the key. */
function table(
  name: TableName,
  kinds: Record<string, ColumnKind | `${ColumnKind}?`>,
  { isNumbered = false, without = [] }: Partial<Pick<Table, "isNumbered" | "without">> = {},
): Table {
  const columns = Object.entries(kinds).map(([name, kind]) => ({
    name,
    kind: kind.replace("?", "") as ColumnKind,
    isOptional: kind.endsWith("?"),
  }));
  return { name, columns, key: columns[0]!.name, isNumbered, without };
}

/** Those columns, in words, that are none of these tables; of another table only its name. */
export function additionsIn(columns: readonly { table: string; column: string }[]): string[] {
  const found = columns.flatMap(({ table: name, column }) => {
    const own = TABLES.find((table) => table.name === name);
    if (own === undefined) return [`the table ${name}`];
    const isOwn = own.columns.some((known) => known.name === column);
    return isOwn ? [] : [`the column ${name}.${column}`];
  });
  return [...new Set(found)];
}
