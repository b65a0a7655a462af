/** A PgBouncer in front of a test's PostgreSQL, in transaction mode. */

import { eventually } from "../blackbox/harness.ts";
import { works } from "../blackbox/skip.ts";
import { freeze, Place, steadyPort, thaw } from "./place.ts";
import { type PostgresServer, ROLE, ROLE_PASSWORD } from "./postgres.ts";

/** Whether there is a PgBouncer here; says that `what` is skipped when not. */
export function hasPgBouncer(what: string): Promise<boolean> {
  return works(["pgbouncer", "--version"], what);
}

export interface PgBouncerOptions {
  /** How many connections it makes to the server. */
  connections?: number;
  /** How many it takes from clients. */
  clients?: number;
}

export class PgBouncer implements AsyncDisposable {
  readonly port: number;
  readonly #place: Place;
  readonly #file: string;
  #process: Deno.ChildProcess | undefined;

  /** @param file its configuration. */
  private constructor(place: Place, file: string, port: number) {
    this.#place = place;
    this.#file = file;
    this.port = port;
  }

  /** Starts one between the server and its clients, each of which has a session for a transaction. */
  static async start(server: PostgresServer, options: PgBouncerOptions = {}): Promise<PgBouncer> {
    const place = await Place.make("TERM");
    try {
      const port = await steadyPort();
      const users = await place.write("users", `"${ROLE}" "${ROLE_PASSWORD}"\n`);
      const file = await place.write(
        "pgbouncer.ini",
        configuration({ port, users }, server, options),
      );
      const bouncer = new PgBouncer(place, file, port);
      await bouncer.start();
      return bouncer;
    } catch (error) {
      await place[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The URL through it, for one of a database of the server. */
  through(url: string): string {
    const changed = new URL(url);
    changed.port = String(this.port);
    return changed.href;
  }

  async start(): Promise<void> {
    this.#process = await this.#place.spawn(["pgbouncer", "-q", this.#file]);
    await eventually("PgBouncer accepts connections", () => accepts(this.port));
  }

  /** Ends it at once, with all connections through it. */
  async stop(): Promise<void> {
    this.#process?.kill("SIGTERM");
    await this.#process?.status;
    this.#process = undefined;
  }

  async freeze(): Promise<void> {
    await freeze(this.#process!.pid);
  }

  async thaw(): Promise<void> {
    await thaw(this.#process!.pid);
  }

  /** Everything it has said. */
  log(): Promise<string> {
    return this.#place.log();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place[Symbol.asyncDispose]();
    await this.#process?.status;
  }
}

function configuration(
  { port, users }: { port: number; users: string },
  server: PostgresServer,
  { connections = 2, clients = 100 }: PgBouncerOptions,
): string {
  const directory = users.slice(0, users.lastIndexOf("/"));
  return `[databases]
* = host=127.0.0.1 port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pidfile = ${directory}/pgbouncer.pid
pool_mode = transaction
default_pool_size = ${connections}
max_client_conn = ${clients}
server_login_retry = 1
`;
}

async function accepts(port: number): Promise<true | undefined> {
  try {
    using _connection = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch {
    return undefined;
  }
}
