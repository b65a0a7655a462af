/** Replicas on a PostgreSQL that is theirs alone, and may be made to fail. */

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
}

export class Site implements AsyncDisposable {
  readonly postgres: PostgresServer;
  readonly replicas: Replicas;

  private constructor(postgres: PostgresServer, replicas: Replicas) {
    this.postgres = postgres;
    this.replicas = replicas;
  }

  static async start({ replicas = 2, env, postgres }: SiteOptions = {}): Promise<Site> {
    const server = await PostgresServer.start(postgres);
    try {
      const all = typeof replicas === "number" ? Array(replicas).fill({}) : replicas;
      const r = await Replicas.start(engineOf(server), all.slice(0, 1), env);
      await r.add(all.slice(1));
      return new Site(server, r); // TEMP
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
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
    await this.postgres[Symbol.asyncDispose]();
  }
}

/** Databases on a server, which is somebody else's to end. */
export function engineOf(server: PostgresServer, through = (url: string) => url): Engine {
  return {
    name: "PostgreSQL",
    async create() {
      const location = through(await server.createDatabase());
      return { location, [Symbol.asyncDispose]: () => Promise.resolve() };
    },
  };
}
