/** A PostgreSQL for a test alone, on a free port and in a directory of its own. */

import { eventually } from "../blackbox/harness.ts";
import { say } from "../blackbox/skip.ts";
import type { Pair } from "../certificates.ts";
import { freeze, Place, steadyPort, thaw } from "./place.ts";

/** Where Debian keeps the programs of each version. */
const VERSIONS = "/usr/lib/postgresql";

/** Who owns the databases that tests use: one without privileges. */
export const ROLE = "jwks";

/** It needs encoding in a URL, and is easily found where it should not be. */
export const ROLE_PASSWORD = "pa55/w?rd#of%tests";

/** What nobody may rely on is unlike what this program writes and unlike the defaults. */
const SETTINGS = {
  bytea_output: "escape",
  datestyle: "'SQL, DMY'",
  intervalstyle: "sql_standard",
  timezone: "'Asia/Kathmandu'",
  shared_buffers: "16MB",
};

/** How a server is told to end (see pg_ctl's documentation): in order, at once, or as in a crash. */
const STOP_SIGNALS = { smart: "SIGTERM", fast: "SIGINT", immediate: "SIGQUIT" } as const;

export interface PostgresOptions {
  /** Whether what is committed is on the disk by then; not needed where only processes crash. */
  fsync?: boolean;
  /** The certificate that it shows to those who ask for TLS. */
  tls?: Pair;
  /** Further settings of postgresql.conf. */
  settings?: Record<string, string>;
}

/** Whether there is a PostgreSQL here; says that `what` is skipped when not. */
export async function hasPostgres(what: string): Promise<boolean> {
  if (await programs() !== undefined) return true;
  await say(what, "PostgreSQL (initdb and postgres)");
  return false;
}

export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  readonly #place: Place;
  readonly #programs: string;
  #process: Deno.ChildProcess | undefined;
  #databases = 0;

  private constructor(place: Place, directory: string, port: number) {
    this.#place = place;
    this.#programs = directory;
    this.port = port;
  }

  /** Makes a new cluster of databases and serves it. */
  static async start(options: PostgresOptions = {}): Promise<PostgresServer> {
    const place = await Place.make("QUIT");
    try {
      const server = new PostgresServer(place, (await programs())!, await steadyPort());
      await server.#initialize(options);
      await server.start();
      return server;
    } catch (error) {
      await place[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The directory of its socket. */
  get socketDirectory(): string {
    return this.#place.directory;
  }

  /** The number of its main process. */
  get pid(): number {
    return this.#process!.pid;
  }

  /** The URL of a database, over TCP. */
  url(database: string): string {
    return `postgres://${ROLE}:${
      encodeURIComponent(ROLE_PASSWORD)
    }@127.0.0.1:${this.port}/${database}`;
  }

  /** The URL of a database, over its socket, which asks nobody for a password. */
  socketUrl(database: string): string {
    const host = encodeURIComponent(this.socketDirectory);
    return `postgres:///${database}?host=${host}&port=${this.port}&user=${ROLE}`;
  }

  /** Makes an empty database, owned by the role of its URL, which is given. */
  async createDatabase(): Promise<string> {
    const name = `test_${++this.#databases}`;
    await this.psql(`CREATE DATABASE ${name} OWNER ${ROLE}`);
    return this.url(name);
  }

  /** Runs SQL as a superuser: what it gives, a row a line and `|` between columns. */
  async psql(sql: string, database = "postgres"): Promise<string> {
    const options = ["-XAtq", "-v", "ON_ERROR_STOP=1", "-h", this.socketDirectory];
    const place = ["-p", String(this.port), "-U", "postgres", "-d", database];
    return await this.#place.run([`${this.#programs}/psql`, ...options, ...place, "-c", sql]);
  }

  /** Runs a line of a shell that finds PostgreSQL's programs, as the user who runs the server. */
  async shell(line: string): Promise<string> {
    return await this.#place.run(["sh", "-c", `PATH="$0:$PATH" exec ${line}`, this.#programs]);
  }

  /** Ends every connection but the one that says so. */
  async terminateAll(): Promise<void> {
    await this.psql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
  }

  /** Stops every process of it where it is: it neither answers nor hangs up. */
  async freeze(): Promise<void> {
    await freeze(this.pid);
  }

  async thaw(): Promise<void> {
    await thaw(this.pid);
  }

  async start(): Promise<void> {
    const process = await this.#place.spawn([`${this.#programs}/postgres`, "-D", this.#data]);
    this.#process = process;
    let hasEnded = false;
    process.status.then(() => hasEnded = true);
    await eventually("PostgreSQL accepts connections", async () => {
      if (hasEnded) throw new Error(`PostgreSQL ended: ${await this.#place.log()}`);
      return await this.#isReady() || undefined;
    });
  }

  async stop(mode: keyof typeof STOP_SIGNALS = "fast"): Promise<void> {
    this.#process?.kill(STOP_SIGNALS[mode]);
    await this.#process?.status;
    this.#process = undefined;
  }

  async restart(mode?: keyof typeof STOP_SIGNALS): Promise<void> {
    await this.stop(mode);
    await this.start();
  }

  /** Everything it has said. */
  log(): Promise<string> {
    return this.#place.log();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place[Symbol.asyncDispose]();
    await this.#process?.status;
  }

  get #data(): string {
    return `${this.#place.directory}/data`;
  }

  async #initialize({ fsync = false, tls, settings }: PostgresOptions): Promise<void> {
    const options = ["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8"];
    await this.#place.run([
      `${this.#programs}/initdb`,
      ...options,
      "--locale=C.UTF-8",
      "-D",
      this.#data,
    ]);
    const security = tls === undefined ? {} : {
      ssl: "on",
      ssl_cert_file: quoted(await this.#place.write("cert.pem", tls.cert)),
      ssl_key_file: quoted(await this.#place.write("key.pem", tls.key)),
    };
    const lines = Object.entries({
      ...SETTINGS,
      fsync: fsync ? "on" : "off",
      full_page_writes: fsync ? "on" : "off",
      listen_addresses: "'127.0.0.1'",
      port: String(this.port),
      unix_socket_directories: quoted(this.socketDirectory),
      external_pid_file: quoted(`${this.#place.directory}/postgres.pid`),
      ...security,
      ...settings,
    }).map(([name, value]) => `${name} = ${value}\n`);
    await this.#place.write("data/postgresql.conf", lines.join(""));
    await this.#place.write(
      "data/pg_hba.conf",
      "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
    );
    await this.#createRole();
  }

  /** Makes the role of the tests, before anybody can connect. */
  async #createRole(): Promise<void> {
    const single = [`${this.#programs}/postgres`, "--single", "-D", this.#data, "postgres"];
    const sql = `CREATE ROLE ${ROLE} LOGIN PASSWORD '${ROLE_PASSWORD}'`;
    await this.#place.run(["sh", "-c", `echo "$0" | "$@"`, sql, ...single]);
  }

  /** What `pg_ctl --wait` goes by: the eighth line of this file. */
  async #isReady(): Promise<boolean> {
    const state = await Deno.readTextFile(`${this.#data}/postmaster.pid`).catch(() => "");
    return state.split("\n")[7]?.trim() === "ready";
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The directory of the newest version's programs; empty where PATH has them. */
export async function programs(): Promise<string | undefined> {
  const versions = await Array.fromAsync(Deno.readDir(VERSIONS), ({ name }) => name)
    .catch(() => []);
  return versions.sort((a, b) => Number(b) - Number(a))
    .map((version) => `${VERSIONS}/${version}/bin`)
    .find(hasInitdb) ?? inPath();
}

function inPath(): string | undefined {
  return (Deno.env.get("PATH") ?? "").split(":").find(hasInitdb);
}

function hasInitdb(directory: string): boolean {
  try {
    return Deno.statSync(`${directory}/initdb`).isFile;
  } catch {
    return false;
  }
}
