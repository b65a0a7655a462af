import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { MIGRATIONS } from "../../../lib/storage/sqlite/schema.ts";
import type { Storage } from "../../../lib/storage/storage.ts";
import { openStorage } from "../../support.ts";
import { USER, USES } from "../uses.ts";

/** The tables that may have millions of rows. */
const LARGE = /\b(users|auth_logs)\b/;

/** Every statement that `work` prepares anew. */
async function preparedBy(work: () => Promise<unknown>): Promise<string[]> {
  const statements: string[] = [];
  const { prepare } = DatabaseSync.prototype;
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string) {
    statements.push(sql);
    return prepare.call(this, sql);
  };
  await work().finally(() => DatabaseSync.prototype.prepare = prepare);
  return statements;
}

/** What SQLite does for a statement, step by step; nothing for one that is no query. */
function planOf(storage: DatabaseSync, sql: string): string[] {
  const rows = storage.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
  return rows.map(({ detail }) => String(detail));
}

/**
 * Whether a step reads a large table from one end to the other, or sorts it. In the order of an
 * index, up to the limit, is no such step, unless it is in search of some of the rows alone.
 */
function isFullScan(step: string, sql: string): boolean {
  if (step.startsWith("USE TEMP B-TREE")) return true;
  if (/^SEARCH auth_logs USING INTEGER PRIMARY KEY \(rowid>/.test(step)) {
    return /user_id =/.test(sql);
  }
  if (/^SEARCH \w+$/.test(step) && LARGE.test(step)) return !/^SELECT [^]*max\(id\)/.test(sql);
  const isEnded = /\bLIMIT \?/.test(sql) && !/\bWHERE\b/.test(sql);
  return step.startsWith("SCAN") && LARGE.test(step) && !isEnded;
}

const schema = new DatabaseSync(":memory:");
for (const statement of MIGRATIONS.flat()) schema.exec(statement);

for (const [use, run] of Object.entries(USES)) {
  Deno.test(`SqliteStorage reads no large table from end to end for ${use}`, async () => {
    const statements = await statementsOf(run);
    assert.ok(statements.some((sql) => LARGE.test(sql)), "nothing was asked of a large table");
    for (const sql of statements) {
      const plan = planOf(schema, sql);
      assert.ok(!plan.some((step) => isFullScan(step, sql)), `${sql}: ${plan.join("; ")}`);
    }
  });
}

/** The statements that are prepared for a use on a storage with a user. */
async function statementsOf(run: (storage: Storage) => Promise<unknown>): Promise<string[]> {
  const storage = openStorage();
  const all = await preparedBy(async () => {
    await storage.createUser(USER);
    await run(storage);
  });
  await storage.close();
  return all.filter((sql) => /^(SELECT|INSERT|UPDATE|DELETE)/.test(sql));
}
