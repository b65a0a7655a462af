/** Several servers on one database, with one secret: started, frozen, killed and stopped. */

import { SECRET } from "../blackbox/commands.ts";
import { CHEAP_PASSWORDS, eventually, Server, UNLIMITED } from "../blackbox/harness.ts";
import type { Environment } from "../blackbox/process.ts";
import type { Engine, SharedDatabase } from "./engines.ts";
import { Operator } from "./operator.ts";

/** Who the tokens are from, whichever server gives them. */
export const ISSUER = "https://issuer.example";

export class Replicas implements AsyncDisposable {
  readonly #database: SharedDatabase;
  readonly #env: Environment;
  readonly #servers: Server[] = [];
  #operator: Operator | undefined;

  private constructor(database: SharedDatabase, env: Environment) {
    this.#database = database;
    this.#env = {
      ...UNLIMITED,
      ...CHEAP_PASSWORDS,
      DATABASE: database.location,
      ...env.NOT_MY_KEY_FILE === undefined ? { NOT_MY_KEY: SECRET } : {},
      ISSUER,
      SIGNING_ALG: "ES256",
      ...env,
    };
  }

  /**
   * Starts servers, all at once, on an empty database.
   *
   * @param each what stands in the environment of each one; a number for as many without.
   * @param env what stands in that of all.
   */
  static async start(
    engine: Engine,
    each: number | readonly Environment[],
    env: Environment = {},
  ): Promise<Replicas> {
    const replicas = new Replicas(await engine.create(), env);
    try {
      await replicas.add(typeof each === "number" ? Array(each).fill({}) : each);
      return replicas;
    } catch (error) {
      await replicas[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Those that run, in the order in which they were added. */
  get servers(): readonly Server[] {
    return this.#servers;
  }

  /** The environment in which servers and commands find the database. */
  get env(): Environment {
    return this.#env;
  }

  /** Starts a server for each environment, all at once; what it says stands before what all have. */
  async add(environments: readonly Environment[]): Promise<Server[]> {
    const started = await Promise.allSettled(
      environments.map((env) => Server.start({ env: { ...this.#env, ...env } })),
    );
    const added = started.filter((one) => one.status === "fulfilled").map(({ value }) => value);
    this.#servers.push(...added);
    const failed = started.find((one) => one.status === "rejected");
    if (failed) throw failed.reason;
    return added;
  }

  /** Who runs commands on the database. */
  async operator(): Promise<Operator> {
    return this.#operator ??= await Operator.open(this.#env);
  }

  /** Ends a process at once, and starts another in its place. */
  async replace(server: Server): Promise<Server> {
    await server.kill();
    const fresh = await Server.start({ env: this.#env });
    this.#servers[this.#servers.indexOf(server)] = fresh;
    await server[Symbol.asyncDispose]();
    return fresh;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) thaw(server); // else it would not hear that it is to stop
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()));
    await this.#operator?.[Symbol.asyncDispose]();
    await this.#database[Symbol.asyncDispose]();
  }
}

/** Stops a process where it stands, until it is thawed. */
export async function freeze(server: Server): Promise<void> {
  server.signal("SIGSTOP");
  await eventually("the process is stopped", async () => {
    const stat = await Deno.readTextFile(`/proc/${server.pid}/stat`);
    return /\) T /.test(stat) ? true : undefined;
  });
}

export function thaw(server: Server): void {
  server.signal("SIGCONT");
}
