/** SQLite files that are copied, and what is left of a copy that failed. */

import assert from "node:assert/strict";
import { DomainError } from "../../../lib/base/errors.ts";
import { type Copied, copyTables, type OnProgress } from "../../../lib/storage/copy.ts";
import { readTables } from "../../../lib/storage/sqlite/table_reader.ts";
import { writeTables } from "../../../lib/storage/sqlite/table_target.ts";
import { failureOf, openDatabase, withTempDir } from "../../support.ts";
import { runElsewhere } from "../sqlite/databases.ts";

/** A source and where its copy is to be. */
export interface Files {
  directory: string;
  from: string;
  to: string;
}

/** Without these no database with keys is sound. */
export const SECRET_ROWS =
  "INSERT INTO meta (name, value) VALUES ('kek_derivation', x'01'), ('kek_check', x'02')";

/** Runs `body` with a source that was filled by these statements, without any of a copy. */
export async function withFiles(sql: string, body: (files: Files) => Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    const from = `${directory}/from`;
    openDatabase(from).close();
    runElsewhere(from, `PRAGMA foreign_keys = OFF; ${SECRET_ROWS}; ${sql}`);
    await body({ directory, from, to: `${directory}/to` });
  });
}

/** Copies one SQLite file into another. */
export function copyFile(
  { from, to }: Pick<Files, "from" | "to">,
  onProgress?: OnProgress,
): Promise<Copied> {
  return copyTables((body) => readTables(from, body), (body) => writeTables(to, body), {
    onProgress,
  });
}

/** The refusal of a copy that has left nothing behind. */
export async function refusedCopy(files: Files): Promise<DomainError> {
  const before = await namesIn(files.directory);
  const error = await failureOf(() => copyFile(files));
  assert.ok(error instanceof DomainError, String(error));
  assert.deepEqual(await namesIn(files.directory), before);
  return error;
}

export async function namesIn(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory), ({ name }) => name)).toSorted();
}

/** Statements that make so many users, of whom each has logged in. */
export function manyUsers(count: number): string {
  const numbers = `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers
    WHERE n < ${count})`;
  return `${numbers} INSERT INTO users (id, username, password_hash)
      SELECT n * 3, 'user' || n, 'hash' FROM numbers;
    ${numbers} INSERT INTO auth_logs (id, request_ip, user_id)
      SELECT n * 2, '192.0.2.1', n * 3 FROM numbers;
    ${numbers} INSERT INTO tombstones (name_hash) SELECT randomblob(32) FROM numbers;
    ${numbers} INSERT INTO meta (name, value) SELECT hex(randomblob(8)), randomblob(8) FROM numbers;`;
}

/** Runs a copy in a process of its own, which kills itself at a step of `dying_copy.ts`. */
export async function killCopy({ from, to }: Pick<Files, "from" | "to">, step: string) {
  const script = new URL("dying_copy.ts", import.meta.url).pathname;
  const { signal, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", script, from, to, step],
  }).output();
  assert.equal(signal, "SIGKILL", new TextDecoder().decode(stderr));
}
