/** A Redis or Valkey of a test's own: on a free port, in a directory of its own, gone afterwards. */

import { Directory, eventually, freePort } from "../blackbox/harness.ts";
import { say, works } from "../blackbox/skip.ts";
import { makeCertificate, writePair } from "../certificates.ts";

/** What such a server is called; the first that is there is taken. */
const PROGRAMS = ["redis-server", "valkey-server"];

/** How often another port is tried: a free one may be taken before the server takes it. */
const STARTS = 5;

export interface RedisOptions {
  /** The password of its default user. */
  password?: string;
  /** Whether it speaks TLS, and that alone. */
  tls?: boolean;
  /** Further lines of its configuration. */
  lines?: readonly string[];
}

/** The program, if there is one; says what is skipped when not. */
export async function findRedis(what: string): Promise<string | undefined> {
  for (const program of PROGRAMS) {
    if (await isThere(program)) return program;
  }
  await say(what, PROGRAMS.join(" or "));
  return undefined;
}

/** Whether a server with TLS can be made here; says so when not. */
export async function canSpeakTls(program: string): Promise<boolean> {
  const what = "a test of TLS to Redis";
  if (!await works(["openssl", "version"], what)) return false;
  const args = ["--port", "0", "--tls-port", "1", "--tls-cert-file", "none"];
  const { stdout } = await new Deno.Command(program, { args, stderr: "null" }).output();
  // A build without TLS does not know the option; one with TLS misses the file.
  if (!/Bad directive/i.test(new TextDecoder().decode(stdout))) return true;
  await say(what, `a ${program} with TLS`);
  return false;
}

/** A server that holds nothing at first, and forgets everything when it stops. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  /** Its certificate, when it speaks TLS. */
  readonly caFile: string | undefined;
  readonly #program: string;
  readonly #directory: Directory;
  readonly #password: string | undefined;
  #process: Deno.ChildProcess | undefined;

  private constructor(
    program: string,
    directory: Directory,
    { password, port, caFile }: { password?: string | undefined; port: number; caFile?: string },
  ) {
    this.port = port;
    this.caFile = caFile;
    this.#program = program;
    this.#directory = directory;
    this.#password = password;
  }

  /** @param program as `findRedis` gives it. */
  static async launch(program: string, options: RedisOptions = {}): Promise<RedisServer> {
    for (let left = STARTS;; left--) {
      const server = await RedisServer.#prepare(program, options);
      try {
        await server.start();
        return server;
      } catch (error) {
        await server[Symbol.asyncDispose]();
        if (left === 1) throw error;
      }
    }
  }

  static async #prepare(program: string, options: RedisOptions): Promise<RedisServer> {
    const { password, tls = false, lines = [] } = options;
    const directory = new Directory();
    const port = freePort();
    const files = tls ? await writePair(directory.path, await makeCertificate()) : undefined;
    const configuration = [
      "bind 127.0.0.1",
      `port ${tls ? 0 : port}`,
      ...files ? [`tls-port ${port}`, "tls-auth-clients no"] : [],
      ...files ? [`tls-cert-file ${files.certFile}`, `tls-key-file ${files.keyFile}`] : [],
      ...files ? [`tls-ca-cert-file ${files.certFile}`] : [],
      ...password === undefined ? [] : [`requirepass ${JSON.stringify(password)}`],
      `dir ${directory.path}`,
      `logfile ${directory.path}/log`,
      'save ""',
      ...lines,
    ];
    await Deno.writeTextFile(`${directory.path}/configuration`, `${configuration.join("\n")}\n`);
    const caFile = files === undefined ? {} : { caFile: files.certFile };
    return new RedisServer(program, directory, { password, port, ...caFile });
  }

  get url(): string {
    return this.urlWith(this.#password);
  }

  /** As `url`, with this password in place of its own. */
  urlWith(password: string | undefined): string {
    const scheme = this.caFile === undefined ? "redis" : "rediss";
    const userinfo = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
    return `${scheme}://${userinfo}127.0.0.1:${this.port}`;
  }

  /** Starts it, and resolves when it takes connections. */
  async start(): Promise<void> {
    const log = `${this.#directory.path}/log`;
    await Deno.writeTextFile(log, "");
    const args = [`${this.#directory.path}/configuration`];
    const process = new Deno.Command(this.#program, { args, stdout: "null", stderr: "null" })
      .spawn();
    this.#process = process;
    let hasEnded = false;
    process.status.then(() => hasEnded = true);
    await eventually(`${this.#program} takes connections`, async () => {
      const text = await Deno.readTextFile(log);
      if (hasEnded) throw new Error(`${this.#program} has ended: ${text}`);
      return text.includes("Ready to accept connections") ? true : undefined;
    });
  }

  /** Ends it at once, frozen or not; what it held is gone. */
  async stop(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    this.#process = undefined;
    try {
      process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await process.status;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Lets it stand still: connections stay, and nothing is answered. */
  freeze(): void {
    this.#process!.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process!.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#directory[Symbol.asyncDispose]();
  }
}

async function isThere(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}
