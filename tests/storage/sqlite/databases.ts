/** Databases in files: sound ones, older ones, and how one that is unsound is refused. */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isDomainError } from "../../../lib/base/errors.ts";
import { examineDatabase } from "../../../lib/storage/sqlite/examination.ts";
import { SqliteStorage } from "../../../lib/storage/sqlite/sqlite_storage.ts";
import { MIGRATIONS } from "../../../lib/storage/sqlite/schema.ts";
import { failureOf, openDatabase, withTempDir } from "../../support.ts";

/** Runs `body` with the path of a database that has rows in every table, and is closed. */
export async function withDatabase(body: (path: string) => Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    const database = openDatabase(path);
    const bytes = new Uint8Array([1]);
    await new SqliteStorage(database).createKeyEncryption({ derivation: bytes, check: bytes });
    database.transaction(() => {
      for (let row = 1; row <= 200; row++) {
        database.run("INSERT INTO keys (kid, key, exp) VALUES (?, ?, ?)", row, "k".repeat(500), 1);
      }
      database.run("INSERT INTO users (username, password_hash) VALUES ('alice', 'x')");
      database.run("INSERT INTO meta (name, value) VALUES ('some', x'00')");
    });
    database.close();
    await body(path);
  });
}

/** Makes a database as a program wrote it that knew the first `version` migrations. */
export function makeOldDatabase(
  path: string,
  version: number,
  { pageSize = 4096, rows = "" }: { pageSize?: number; rows?: string } = {},
): void {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = WAL`);
  for (const statement of MIGRATIONS.slice(0, version).flat()) database.exec(statement);
  database.exec(`PRAGMA user_version = ${version}; ${rows}`);
  database.close();
}

/** Runs statements as another program would. */
export function runElsewhere(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

/** The number of the page that a table begins at. */
function rootPageOf(path: string, table: string): number {
  using database = new DatabaseSync(path);
  const sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?";
  return Number(database.prepare(sql).get(table)!.rootpage);
}

/** Overwrites the first page of a table, or a part of it, as a bad disk would. */
export async function damageTable(
  path: string,
  table: string,
  { pageSize = 4096, from = 0, to = pageSize }: Partial<
    Record<"pageSize" | "from" | "to", number>
  > = {},
): Promise<void> {
  const start = (rootPageOf(path, table) - 1) * pageSize;
  const content = await Deno.readFile(path);
  content.fill(0xa5, start + from, start + to);
  await Deno.writeFile(path, content);
}

/** Everything that stands beside the file and in it, comparable. */
async function stateOf(path: string) {
  const names = await Array.fromAsync(Deno.readDir(dirname(path)), ({ name }) => name);
  const { mode, mtime } = await Deno.lstat(path);
  return { names: names.toSorted(), mode, mtime, content: await Deno.readFile(path) };
}

/** Asserts that the database at `path` is refused, is named, and that it is told what to do. */
export async function assertRefused(path: string, reason: RegExp): Promise<void> {
  for (const look of [() => examineDatabase(path, { withUsers: true }), () => openDatabase(path)]) {
    const error = await failureOf(look, String(reason));
    assert.ok(isDomainError(error, "database_unusable"), String(error));
    assert.match(error.message, reason);
    assert.ok(error.message.includes(path));
    assert.ok(error.hints.length > 0);
  }
}

/** Asserts that the file is refused, and that it and its directory are as they were afterwards. */
export async function assertRefusedUntouched(path: string, reason: RegExp): Promise<void> {
  const before = await stateOf(path);
  await assertRefused(path, reason);
  assert.deepEqual(await stateOf(path), before);
}
