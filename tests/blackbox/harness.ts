/** A server in a directory and an environment of its own, driven from outside. */

import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { assertDescribed } from "../http/described_answer.ts";
import { Client, exchange, type Witness } from "./client.ts";
import { type Environment, type Outcome, Program } from "./process.ts";

const DATABASE = "totally_not_my_privateKeys.db";

/** A password cost at which tests are fast. */
export const CHEAP_PASSWORDS = { ARGON2_MEMORY_KIB: "64", ARGON2_PASSES: "1", ARGON2_LANES: "1" };

/** The same of keys: three of RSA's take a server more time than all else that it does to start. */
const CHEAP = { ...CHEAP_PASSWORDS, SIGNING_ALG: "ES256" };

/** A rate limit that no test reaches by accident. */
export const UNLIMITED = { RATE_LIMIT: "100000" };

export interface StartOptions {
  env?: Environment;
  /** Whether passwords and keys cost what they do by default; else they are cheap. */
  isFullCost?: boolean;
  /** An existing directory, which is then not removed. */
  directory?: Directory;
  /** Commands of `sh` that run in the process before the server takes its place. */
  prelude?: string;
  /** A command that is given the server's command line as arguments, and runs it. */
  wrapper?: readonly string[];
  /** Whether nobody reads what the server says; then `env.PORT` must be set. */
  isUnheard?: boolean;
}

export interface RunOptions {
  env?: Environment;
  stdin?: string;
  /** A command that is given the program's command line as arguments, and runs it. */
  wrapper?: readonly string[];
}

/** A directory, empty at first, that is removed in the end. */
export class Directory implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "jwks-server-test-" });

  get database(): string {
    return `${this.path}/${DATABASE}`;
  }

  /** Every file in it, in the order of the names. */
  async files(): Promise<Map<string, Uint8Array>> {
    const files = new Map<string, Uint8Array>();
    for (const name of (await Array.fromAsync(Deno.readDir(this.path))).map(nameOf).sort()) {
      files.set(name, await Deno.readFile(`${this.path}/${name}`));
    }
    return files;
  }

  /**
   * The digest of every file in it: what may not change, in a form that is short to compare. Of
   * SQLite's `-shm` files only the existence counts: "It contains no persistent content"
   * (https://sqlite.org/walformat.html).
   */
  async digests(): Promise<Record<string, string>> {
    const digests: Record<string, string> = {};
    for (const [name, bytes] of await this.files()) {
      const isCache = name.endsWith("-shm");
      digests[name] = isCache ? "any" : createHash("sha256").update(bytes).digest("hex");
    }
    return digests;
  }

  /** Another directory with the same files. */
  async copy(): Promise<Directory> {
    const copy = new Directory();
    for (const [name, bytes] of await this.files()) {
      await Deno.writeFile(`${copy.path}/${name}`, bytes, { mode: 0o600 });
    }
    return copy;
  }

  /** A connection of one's own to the database. */
  open(): DatabaseSync {
    return new DatabaseSync(this.database);
  }

  /** Reads the database through a connection that lives no longer than that. */
  query<Row>(sql: string, ...values: (string | number)[]): Row[] {
    const connection = new DatabaseSync(this.database, { readOnly: true });
    try {
      connection.exec("PRAGMA busy_timeout = 2000");
      return connection.prepare(sql).all(...values) as Row[];
    } finally {
      connection.close();
    }
  }

  /** Runs a command in it to its end. */
  run(args: readonly string[], options: RunOptions = {}) {
    return run(args, { cwd: this.path, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

const witness: Witness = (asked, answer) => assertDescribed(asked, answer);

/** A running server, whose answers must all be described. Disposing of it ends its process and removes the directory made for it. */
export class Server extends Client implements AsyncDisposable {
  readonly directory: Directory;
  readonly #program: Program;
  readonly #ownsDirectory: boolean;

  private constructor(url: string, program: Program, directory: Directory, ownsDirectory: boolean) {
    super(url, undefined, witness);
    this.directory = directory;
    this.#program = program;
    this.#ownsDirectory = ownsDirectory;
  }

  /** Starts a server and waits until it says that it listens or, unheard, until it answers. */
  static async start(options: StartOptions = {}): Promise<Server> {
    const directory = options.directory ?? new Directory();
    const cost = options.isFullCost ? {} : CHEAP;
    const env: Environment = { PORT: "0", ...cost, ...options.env };
    const program = new Program([], { ...options, cwd: directory.path, env });
    try {
      const url = options.isUnheard
        ? await answering(`http://127.0.0.1:${env.PORT}`)
        : await program.listening();
      return new Server(url, program, directory, options.directory === undefined);
    } catch (error) {
      program.signal("SIGKILL");
      await program.ended;
      if (options.directory === undefined) await directory[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Everything on standard error so far. */
  get stderr(): string {
    return this.#program.stderr;
  }

  /** Resolves when the process has ended, by whatever cause. */
  get ended(): Promise<Outcome> {
    return this.#program.ended;
  }

  /** Sends a signal and does not wait for what follows. */
  signal(signal: Deno.Signal): void {
    this.#program.signal(signal);
  }

  stop(signal: Deno.Signal = "SIGTERM"): Promise<Outcome> {
    this.signal(signal);
    return this.ended;
  }

  kill(): Promise<Outcome> {
    return this.stop("SIGKILL");
  }

  /** The same server as seen by a client with another address. */
  from(address: string): Client {
    return new Client(this.url, address, witness);
  }

  /** Sends bytes as they are, and gives what comes back until the server closes the connection. */
  exchange(request: string | Uint8Array): Promise<string> {
    return exchange(this.url, request);
  }

  openDatabase(): DatabaseSync {
    return this.directory.open();
  }

  query<Row>(sql: string, ...values: (string | number)[]): Row[] {
    return this.directory.query<Row>(sql, ...values);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const impatience = setTimeout(() => this.signal("SIGKILL"), 10_000);
    await this.stop();
    clearTimeout(impatience);
    if (this.#ownsDirectory) await this.directory[Symbol.asyncDispose]();
  }
}

/** Runs a command to its end. */
export function run(
  args: readonly string[],
  { env, ...options }: RunOptions & { cwd: string },
): Promise<Outcome> {
  return new Program(args, { ...options, env: { ...CHEAP_PASSWORDS, ...env } }).ended;
}

/** Tries until `attempt` gives something other than `undefined`. */
export async function eventually<Result>(
  what: string,
  attempt: () => Promise<Result | undefined> | Result | undefined,
  { patience = 10_000, every = 20 } = {},
): Promise<Result> {
  for (const end = Date.now() + patience;;) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (Date.now() > end) throw new Error(`Not within ${patience} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

/** A port that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function answering(url: string): Promise<string> {
  const client = new Client(url);
  return await eventually(
    `${url} answers`,
    () => client.jwks().then(({ status }) => status === 200 ? url : undefined, () => undefined),
  );
}

function nameOf({ name }: Deno.DirEntry): string {
  return name;
}
