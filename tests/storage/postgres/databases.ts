/** Databases of PostgreSQL: one server for each file of tests, and in it what a test needs. */

import { parsePostgresUrl } from "../../../lib/storage/postgres/location.ts";
import { migrate } from "../../../lib/storage/postgres/migration.ts";
import { PostgresPool } from "../../../lib/storage/postgres/pool.ts";
import { PostgresStorage } from "../../../lib/storage/postgres/postgres_storage.ts";
import { TABLES } from "../../../lib/storage/postgres/schema.ts";
import { hasPostgres, type PostgresOptions, PostgresServer } from "../../servers/postgres.ts";

export const AT = Date.UTC(2030, 0, 2, 3, 4, 5);
export const ALICE = { username: "alice", email: "a@b.c", passwordHash: "x", at: AT };
export const NAME_HASH = new Uint8Array([1, 2, 3]);

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

  /**
   * A pool of its own, over the socket, which is the quickest to connect.
   *
   * @param timeout how long a call may take, in milliseconds, where it is not to be as usual.
   */
  openPool(timeout?: number): PostgresPool {
    const location = parsePostgresUrl(this.server.socketUrl(this.name))!;
    return new PostgresPool(location, timeout === undefined ? {} : { timeout });
  }

  /** Takes away whatever is in the tables. */
  async wipe(): Promise<void> {
    await this.psql(WIPE);
  }

  openStorage(): PostgresStorage {
    return new PostgresStorage(this.openPool());
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

  /** Registers a test with an empty storage of the database. */
  test(property: string, body: (storage: PostgresStorage) => Promise<void>): void {
    this.testWith(1, property, ([storage]) => body(storage!));
  }

  /** Registers a test with the storages of so many servers on the database, which is empty. */
  testWith(
    count: number,
    property: string,
    body: (storages: PostgresStorage[]) => Promise<void>,
  ): void {
    Deno.test(property, async () => {
      const first = await this.openEmpty();
      const others = Array.from({ length: count - 1 }, () => this.openStorage());
      const storages = [first, ...others];
      await body(storages).finally(() => Promise.all(storages.map((one) => one.close())));
    });
  }

  /** Registers a test with an empty storage, and a pool for what others do meanwhile. */
  testBeside(
    property: string,
    body: (storage: PostgresStorage, other: PostgresPool) => Promise<void>,
  ): void {
    this.test(property, async (storage) => {
      const other = this.openPool();
      await body(storage, other).finally(() => other.close());
    });
  }
}

/** The server of a file's tests; `undefined`, which is said, where there is none. */
export async function startServer(
  what: string,
  options?: PostgresOptions,
): Promise<PostgresServer | undefined> {
  if (!await hasPostgres(what)) return undefined;
  const server = await PostgresServer.start(options);
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
