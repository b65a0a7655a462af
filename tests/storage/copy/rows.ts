/** Random rows of every table, and rows written into a SQLite file as another program would. */

import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { timestamp } from "../../../lib/base/clock.ts";
import { type Row, type TableName, TABLES, type Value } from "../../../lib/storage/tables.ts";
import { openDatabase } from "../../support.ts";

export type Rows = Record<TableName, Row[]>;

/** The greatest number that was ever given, of each table that numbers its rows. */
export interface Given {
  rows: Rows;
  lastNumbers: Partial<Record<TableName, string>>;
  revision: number;
}

const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const id = fc.bigInt({ min: 1n, max: 2n ** 62n });
const bytes = fc.uint8Array({ maxLength: 40 });
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }).map((found) => found.replaceAll("\0", "0")),
  fc.constantFrom(
    "",
    "null",
    "NULL",
    "{}",
    "{a,b}",
    '"',
    "\\",
    "\\x00",
    "'",
    ",",
    "\ufeffbom",
    "\n",
  ),
);
const time = fc.oneof(
  fc.integer({ min: Date.UTC(1970), max: Date.UTC(2100) }).map(timestamp),
  fc.constantFrom("0001-01-01 00:00:00", "9999-12-31 23:59:59", "2024-02-29 12:00:00"),
);

function optional(value: fc.Arbitrary<string>): fc.Arbitrary<Value> {
  return fc.option(value, { nil: null });
}

/** At most so many rows with keys that are all different. */
function rowsBy<Key>(
  keys: fc.Arbitrary<Key>,
  row: (key: Key, place: number) => fc.Arbitrary<Row>,
  maxLength = 4,
): fc.Arbitrary<Row[]> {
  return fc.uniqueArray(keys, { selector: String, maxLength })
    .chain((found) => fc.tuple(...found.map(row)));
}

/** A name is unlike every other one, in any case. */
function userRow(key: bigint, place: number): fc.Arbitrary<Row> {
  const name = text.map((found) => `${found}${place}`);
  return fc.tuple(
    fc.constant(String(key)),
    name,
    text,
    optional(name),
    optional(time),
    optional(time),
  );
}

function clientRows(users: readonly bigint[]) {
  const user = users.length > 0 ? fc.constantFrom(...users).map(String) : fc.constant(null);
  const credential = (key: bigint, place: number) =>
    fc.tuple(
      fc.constant(String(key)),
      user as fc.Arbitrary<string>,
      fc.constantFrom("password", "key"),
      optional(text.map((found) => `${found}${place}`)),
      text,
      integer,
      optional(integer),
      optional(integer),
    );
  return {
    auth_logs: rowsBy(
      id,
      (key) =>
        fc.tuple(fc.constant(String(key)), text, optional(time), fc.option(user, { nil: null })),
      8,
    ),
    client_policies: fc.subarray([...users])
      .chain((owners) =>
        fc.tuple(...owners.map((owner) => fc.tuple(fc.constant(String(owner)), text)))
      ),
    client_credentials: users.length === 0 ? fc.constant([]) : rowsBy(id, credential),
  };
}

const users = fc.uniqueArray(id, { selector: String, maxLength: 4 });

/** Without these no database with keys is sound. */
const SECRET: Row[] = [["kek_check", new Uint8Array([1])], ["kek_derivation", new Uint8Array([2])]];

/** Everything that may stand in a storage. */
export const given: fc.Arbitrary<Given> = users.chain((found) =>
  fc.record({
    rows: fc.record({
      keys: rowsBy(integer, (key) => fc.tuple(fc.constant(key), bytes, integer)),
      users: fc.tuple(...found.map(userRow)),
      meta: rowsBy(text, (key) => fc.tuple(fc.constant(key), bytes))
        .map((rows) => [...SECRET, ...rows]),
      tombstones: rowsBy(bytes, (key) => fc.tuple(fc.constant(key))),
      ...clientRows(found),
    }) as fc.Arbitrary<Rows>,
    revision: fc.nat(),
  })
).chain(({ rows, revision }) =>
  fc.nat({ max: 3 }).map((deleted) => ({ rows, revision, lastNumbers: lastNumbers(rows, deleted) }))
);

/** So many rows more were given a number, and are not there any more. */
function lastNumbers(rows: Rows, deleted: number): Given["lastNumbers"] {
  const numbered = TABLES.filter(({ isNumbered }) => isNumbered);
  return Object.fromEntries(numbered.map(({ name }) => {
    const greatest = rows[name].reduce((most, [key]) => max(most, BigInt(key as string)), 0n);
    return [name, String(greatest + BigInt(deleted))];
  }));
}

function max(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

/** Makes a SQLite database that holds these rows, with a mark that a server runs on it. */
export function makeDatabase(path: string, { rows, lastNumbers, revision }: Given): void {
  openDatabase(path).close();
  using database = new DatabaseSync(path);
  for (const { name, columns } of TABLES) {
    const insert = database.prepare(
      `INSERT INTO ${name} (${columns.map((column) => column.name)}) VALUES (${
        columns.map(() => "?")
      })`,
    );
    for (const row of rows[name]) {
      insert.run(
        ...row.map((value, place) =>
          columns[place]!.kind === "integer" || columns[place]!.kind === "user"
            ? value && BigInt(value as string)
            : value
        ),
      );
    }
  }
  const keep = database.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)");
  keep.run("running", new Uint8Array([1]));
  keep.run("keys_revision", BigInt(revision));
  database.exec("DELETE FROM sqlite_sequence");
  for (const [name, number] of Object.entries(lastNumbers)) {
    database.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)").run(
      name,
      BigInt(number),
    );
  }
}

/** Everything that stands in a SQLite database, comparable. */
export function dump(path: string): Record<string, unknown[]> {
  using database = new DatabaseSync(path);
  const all = (sql: string) => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all().map((row) => ({ ...row }));
  };
  const tables = TABLES.map(({ name, key }) =>
    [name, all(`SELECT * FROM ${name} WHERE ${key} <> 'running' ORDER BY ${key}`)] as const
  );
  return {
    ...Object.fromEntries(tables),
    sqlite_sequence: all("SELECT * FROM sqlite_sequence WHERE seq > 0 ORDER BY name"),
    damage: all("PRAGMA integrity_check"),
    lost: all("PRAGMA foreign_key_check"),
  };
}
