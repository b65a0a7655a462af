/** A database on a PostgreSQL server, and the commands run on it in this process. */

import { hasPostgres, type PostgresOptions, PostgresServer } from "../servers/postgres.ts";
import { withTempDir } from "../support.ts";
import { Workplace } from "./workplace.ts";

/** Keys that are quick to make. */
const QUICK = { SIGNING_ALG: "EdDSA" };

export class PostgresWorkplace extends Workplace {
  constructor(directory: string, readonly server: PostgresServer, readonly url: string) {
    super(directory, "", url);
  }

  /** Runs SQL as a superuser. */
  async psql(sql: string): Promise<string> {
    return await this.server.psql(sql, new URL(this.url).pathname.slice(1));
  }

  /** Makes the tables, the secret and the keys. */
  async init(): Promise<void> {
    await this.run(["init"], QUICK);
  }
}

/** Runs a test with an empty database. */
export type WithPostgresWorkplace = (
  body: (workplace: PostgresWorkplace) => Promise<void>,
) => Promise<void>;

/** The server of a file's tests, and what runs a test with an empty database of it. */
export async function postgresWorkplaces(
  what: string,
  options: PostgresOptions = {},
): Promise<WithPostgresWorkplace | undefined> {
  if (!await hasPostgres(what)) return undefined;
  const server = await PostgresServer.start(options);
  Deno.test.afterAll(() => server[Symbol.asyncDispose]());
  return async (body) => {
    await withTempDir(async (directory) => {
      await body(new PostgresWorkplace(directory, server, await server.createDatabase()));
    });
  };
}
