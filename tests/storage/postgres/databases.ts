/** Databases of PostgreSQL: one server for each file of tests, and in it what a test needs. */

import { parsePostgresUrl } from "../../../lib/storage/postgres/location.ts";
import { migrate } from "../../../lib/storage/postgres/migration.ts";
import { PostgresPool } from "../../../lib/storage/postgres/pool.ts";
import { PostgresStorage } from "../../../lib/storage/postgres/postgres_storage.ts";
import { TABLES } from "../../../lib/storage/postgres/schema.ts";
import { hasPostgres, PostgresServer } from "../../servers/postgres.ts";

/** Whatever tests leave in the tables of one database, but for the numbers that were given. */
const WIPE = "DO $$ BEGIN " + TABLES.filter((table) => table !== "key_state")
  .map((table) => `DELETE FROM ${table};`).join(" ") +
  " END $$";

/** A database of the server with this program's tables, for one test after the other. */
export class TestDatabase {
  readonly server: PostgresServer;
  /** Its name on the server, for `psql`. */
  readonly name: string;

  constructor(server: PostgresServer, url: string) {
    this.server = server;
    this.name = new URL(url).pathname.slice(1);
  }

  /** A pool of its own, over the socket, which is the quickest to connect. */
  openPool(): PostgresPool {
    return new PostgresPool(parsePostgresUrl(this.server.socketUrl(this.name))!);
  }

  /** An empty storage, which a test closes. */
  async openEmpty(): Promise<PostgresStorage> {
    const pool = this.openPool();
    await pool.write(WIPE);
    return new PostgresStorage(pool);
  }

  /** Runs SQL as another program would, with all rights: a row a line and `|` between columns. */
  async psql(sql: string): Promise<string> {
    return await this.server.psql(sql, this.name);
  }

  /** Runs `body` with an empty storage of the database. */
  async withStorage(body: (storage: PostgresStorage) => Promise<void>): Promise<void> {
    const storage = await this.openEmpty();
    try {
      await body(storage);
    } finally {
      await storage.close();
    }
  }

  /** Runs `body` with several storages on the database, which is empty, each with its own pool. */
  async withStorages(
    count: number,
    body: (storages: PostgresStorage[]) => Promise<void>,
  ): Promise<void> {
    const first = await this.openEmpty();
    const others = Array.from({ length: count - 1 }, () => new PostgresStorage(this.openPool()));
    const storages = [first, ...others];
    try {
      await body(storages);
    } finally {
      await Promise.all(storages.map((storage) => storage.close()));
    }
  }
}

/** The server of a file's tests; `undefined`, which is said, where there is none. */
export async function startServer(what: string): Promise<PostgresServer | undefined> {
  if (!await hasPostgres(what)) return undefined;
  const server = await PostgresServer.start();
  Deno.test.afterAll(() => server[Symbol.asyncDispose]());
  return server;
}

/** A new database with this program's tables. */
export async function makeDatabase(server: PostgresServer): Promise<TestDatabase> {
  const database = new TestDatabase(server, await server.createDatabase());
  const pool = database.openPool();
  await migrate(pool);
  await pool.close();
  return database;
}
