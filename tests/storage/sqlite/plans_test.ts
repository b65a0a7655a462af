import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { MIGRATIONS } from "../../../lib/storage/sqlite/schema.ts";
import type { Storage } from "../../../lib/storage/storage.ts";
import { openStorage } from "../../support.ts";

/** The tables that may have millions of rows. */
const LARGE = /\b(users|auth_logs)\b/;

const NOW = Date.UTC(2030, 0, 1);
const USER = { username: "alice", email: "a@b.c", passwordHash: "x", at: NOW, nameHash: bytes(1) };
const USERNAME = USER.username;

/** What is asked of a storage by name, with a user in it. */
const USES: Record<string, (storage: Storage) => Promise<unknown>> = {
  "registration": (storage) => storage.createUser({ ...USER, username: "bob", email: "b@b.c" }),
  "a user": (storage) => storage.findUser(USERNAME),
  "an address": (storage) => storage.findUserByEmail(USER.email),
  "a client": (storage) => storage.findClient(USERNAME),
  "a sample of hashes": (storage) => storage.samplePasswordHashes(64),
  "a page of users": (storage) => storage.listUsers({ limit: 10 }),
  "a further page of users": (storage) => storage.listUsers({ afterId: 1, limit: 10 }),
  "a login": async (storage) => {
    const user = (await storage.findUser(USERNAME))!;
    return await storage.recordAuthentication({ ip: "::1", at: NOW, user });
  },
  "a login with a credential": async (storage) => {
    await storage.addCredential(1, { kid: "k", value: "v", at: 0 });
    const { user, credentials: [credential] } = (await storage.findClient(USERNAME))!;
    return await storage.recordAuthentication({ ip: "::1", at: NOW, user, credential });
  },
  "a refused login": (storage) => storage.recordAuthentication({ ip: "::1", at: NOW, user: null }),
  "a new hash": (storage) => storage.replacePasswordHash(1, "x", "y"),
  "a new password": (storage) => storage.replacePassword(1, { from: "x", to: "y" }),
  "a policy": (storage) => storage.replaceClientPolicy(1, undefined, "{}"),
  "clients declared": async (storage) => {
    const client = (await storage.findClient(USERNAME))!;
    const update = { userId: 1, email: "c@b.c", policy: "{}", removeKeys: [], addKeys: [] };
    const create = [{ ...USER, username: "carol", email: "d@b.c", nameHash: bytes(2), keys: [] }];
    assert.ok(await storage.applyClients([client], { remove: [], update: [update], create }));
  },
  "deletion": (storage) => storage.deleteUser(1, bytes(3)),
  "the purge": (storage) => storage.purgeAuthentications(NOW, 10),
  "logs": async (storage) => {
    await storage.seekAuthentications({ since: 0, last: 100 });
    return await storage.readAuthentications({ afterId: 0, since: 0, limit: 10 });
  },
  "logs --since": (storage) => storage.seekAuthentications({ since: NOW }),
  "logs --since --limit": (storage) => storage.seekAuthentications({ since: NOW - 9e9, last: 5 }),
  "logs --user": async (storage) => {
    for (const last of [undefined, 100]) {
      for (const since of [0, NOW]) {
        await storage.seekAuthentications({ since, username: USERNAME, last });
      }
    }
    return await storage.readAuthentications({
      afterId: 0,
      since: 0,
      username: USERNAME,
      limit: 10,
    });
  },
  "the newest entries": (storage) => storage.newestAuthentications(10),
  "the count since a time": (storage) => storage.countAuthentications(NOW),
};

function bytes(value: number): Uint8Array {
  return new Uint8Array([value]);
}

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
