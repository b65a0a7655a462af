/**
 * The program as a process: from the source, or the executable that the variable JWKS_SERVER names.
 */

import { fileURLToPath } from "node:url";
import configuration from "../../deno.json" with { type: "json" };

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const EXECUTABLE = Deno.env.get("JWKS_SERVER");

/** What Deno itself needs to find its cache. */
const INHERITED = EXECUTABLE ? ["PATH"] : ["PATH", "HOME", "XDG_CACHE_HOME", "DENO_DIR"];

/** The commands that have written coverage: one run of each, for it costs hundreds of files. */
const measured = new Set<string>();

/** How long a server may take until it listens, in milliseconds: only a broken one comes near. */
const START_PATIENCE = 20_000;

export type Environment = Record<string, string>;

/** How a process ended, and what it said. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ProcessOptions {
  cwd: string;
  env: Environment;
  stdin?: string | undefined;
  /** Commands of `sh` that run in the process before the program takes its place. */
  prelude?: string | undefined;
  /** A command that is given the program's command line as arguments, and runs it. */
  wrapper?: readonly string[] | undefined;
  /** Whether the reading ends of its standard output and standard error are closed at once. */
  isUnheard?: boolean | undefined;
}

/** A process that was started, with nothing in its environment but what it was given. */
export class Program {
  readonly pid: number;
  /** Resolves when it has ended, by whatever cause. */
  readonly ended: Promise<Outcome>;
  readonly #process: Deno.ChildProcess;
  readonly #stdout: Reader;
  readonly #stderr: Reader;

  constructor(args: readonly string[], options: ProcessOptions) {
    const [command, ...rest] = withPrelude(
      [...options.wrapper ?? [], ...commandLine(), ...args],
      options.prelude,
    );
    this.#process = new Deno.Command(command!, {
      args: rest,
      cwd: options.cwd,
      clearEnv: true,
      env: { ...inheritedEnvironment(args), ...options.env },
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#process.pid;
    this.#stdout = new Reader(this.#process.stdout, options.isUnheard);
    this.#stderr = new Reader(this.#process.stderr, options.isUnheard);
    this.ended = this.#end(options.stdin);
  }

  /** Everything on standard error so far. */
  get stderr(): string {
    return this.#stderr.text;
  }

  /** Waits for the line that says where the server listens, and gives the URL. */
  async listening(): Promise<string> {
    const pattern = /^jwks-server listens on (https?:\S+?);/m;
    const found = await Promise.race([
      this.#stdout.find(pattern, START_PATIENCE),
      this.ended.then(() => undefined),
    ]);
    if (found !== undefined) return found;
    throw new Error(`The server does not listen\n${this.#stdout.text}${this.#stderr.text}`);
  }

  /** Sends a signal; a process that has ended is left in peace. */
  signal(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has terminated
    }
  }

  async #end(stdin: string | undefined): Promise<Outcome> {
    if (stdin !== undefined) {
      await new Blob([stdin]).stream().pipeTo(this.#process.stdin).catch(() => {}); // ended early
    }
    const [{ code }] = await Promise.all([
      this.#process.status,
      this.#stdout.done,
      this.#stderr.done,
    ]);
    return { code, stdout: this.#stdout.text, stderr: this.#stderr.text };
  }
}

/** Collects what a stream says. */
class Reader {
  text = "";
  readonly done: Promise<void>;
  #changed = Promise.withResolvers<void>();

  constructor(stream: ReadableStream<Uint8Array>, isUnheard = false) {
    this.done = isUnheard ? stream.cancel() : this.#collect(stream);
  }

  /** The first group of `pattern` as soon as it matches; `undefined` when the time is up. */
  async find(pattern: RegExp, patience: number): Promise<string | undefined> {
    const late = Promise.withResolvers<"late">();
    const timer = setTimeout(() => late.resolve("late"), patience);
    try {
      for (;;) {
        const match = pattern.exec(this.text);
        if (match) return match[1];
        if (await Promise.race([this.#changed.promise, late.promise]) === "late") return undefined;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream() as never)) {
      this.text += text;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}

/** The command that is the program. */
export function commandLine(): string[] {
  if (EXECUTABLE) return [EXECUTABLE];
  const [, run, ...rest] = configuration.tasks.start.command.split(" ");
  const options = rest.slice(0, -1); // without main.ts
  const config = `${REPOSITORY}deno.json`;
  return [Deno.execPath(), run!, "--config", config, ...options, `${REPOSITORY}main.ts`];
}

function withPrelude(command: string[], prelude: string | undefined): string[] {
  return prelude === undefined ? command : ["sh", "-c", `${prelude}; exec "$@"`, "sh", ...command];
}

function inheritedEnvironment(args: readonly string[]): Environment {
  const command = args.slice(0, 2).join(" ");
  const isFirst = !EXECUTABLE && !measured.has(command);
  measured.add(command);
  const names = isFirst ? [...INHERITED, "DENO_COVERAGE_DIR"] : INHERITED;
  const present = names.map((name) => [name, Deno.env.get(name)] as const);
  return Object.fromEntries(present.filter((pair): pair is [string, string] => !!pair[1]));
}
