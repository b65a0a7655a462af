/** The databases that several servers can share: what each promises is the same. */

import { Directory } from "../blackbox/harness.ts";
import { hasPostgres, PostgresServer } from "../servers/postgres.ts";

/** A database that servers find by the variable `DATABASE`. */
export interface SharedDatabase extends AsyncDisposable {
  /** The value of `DATABASE`. */
  readonly location: string;
}

export interface Engine {
  name: string;
  /**
   * Whether a password that is right and the row that says so are of one moment. PostgreSQL commits
   * the row a little after it has looked at the user, and does not make who changes the user wait.
   */
  hasRowsInOrder?: boolean;
  /** Makes an empty database, which is gone when it is disposed of. */
  create(): Promise<SharedDatabase>;
}

const SQLITE: Engine = {
  name: "SQLite",
  hasRowsInOrder: true,
  create() {
    const directory = new Directory();
    return Promise.resolve({
      location: directory.database,
      [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
    });
  },
};

let postgres: PostgresServer | undefined;

const POSTGRES: Engine = {
  name: "PostgreSQL",
  async create() {
    return { location: await postgres!.createDatabase(), async [Symbol.asyncDispose]() {} };
  },
};

/** Whether replicas on PostgreSQL can be tested here. */
const canServe = await hasPostgres("replicas on PostgreSQL");
if (canServe) {
  Deno.test.beforeAll(async () => void (postgres = await PostgresServer.start()));
  Deno.test.afterAll(() => postgres![Symbol.asyncDispose]());
}

/** Those that this machine has. */
export const ENGINES: readonly Engine[] = canServe ? [POSTGRES, SQLITE] : [SQLITE];
