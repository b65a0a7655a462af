/** Replicas on a PostgreSQL that is theirs alone, and may be made to fail. */

import { PgBouncer } from "../servers/pgbouncer.ts";
import { type PostgresOptions, PostgresServer } from "../servers/postgres.ts";
import type { Environment } from "../blackbox/process.ts";
import type { Engine } from "./engines.ts";
import { Replicas } from "./replicas.ts";

export interface SiteOptions {
  /** How many replicas, or what stands in the environment of each. */
  replicas?: number | readonly Environment[];
  /** What stands in that of all. */
  env?: Environment;
  postgres?: PostgresOptions;
  /** Whether there is a PgBouncer between them. */
  isPooled?: boolean;
}

export class Site implements AsyncDisposable {
  readonly postgres: PostgresServer;
  readonly replicas: Replicas;
  readonly #bouncer: PgBouncer | undefined;

  private constructor(postgres: PostgresServer, replicas: Replicas, bouncer?: PgBouncer) {
    this.postgres = postgres;
    this.replicas = replicas;
    this.#bouncer = bouncer;
  }

  static async start(
    { replicas = 2, env, postgres, isPooled = false }: SiteOptions = {},
  ): Promise<Site> {
    await using started = new AsyncDisposableStack();
    const server = started.use(await PostgresServer.start(postgres));
    const bouncer = isPooled ? started.use(await PgBouncer.start(server)) : undefined;
    const engine = engineOf(server, bouncer);
    const site = new Site(server, await Replicas.start(engine, replicas, env), bouncer);
    started.move();
    return site;
  }

  /** What is between the replicas and their database. */
  get bouncer(): PgBouncer {
    return this.#bouncer!;
  }

  /** The name of the replicas' database. */
  get database(): string {
    return new URL(this.replicas.env.DATABASE!).pathname.slice(1);
  }

  /** Runs SQL in the replicas' database, as a superuser. */
  psql(sql: string): Promise<string> {
    return this.postgres.psql(sql, this.database);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.replicas[Symbol.asyncDispose]();
    await this.#bouncer?.[Symbol.asyncDispose]();
    await this.postgres[Symbol.asyncDispose]();
  }
}

/** Databases on a server, which is somebody else's to end. */
function engineOf(server: PostgresServer, bouncer?: PgBouncer): Engine {
  return {
    name: "PostgreSQL",
    hasRowsInOrder: false,
    async create() {
      const url = await server.createDatabase();
      const location = bouncer?.through(url) ?? url;
      return { location, [Symbol.asyncDispose]: () => Promise.resolve() };
    },
  };
}
