/** A shell in which a reader of the documentation types commands, and the server goes on beside them. */

import { Directory, eventually } from "./harness.ts";
import { commandLine, type Environment, inherited } from "./process.ts";

/** How long the server may take until it says that it listens, in milliseconds. */
const START_PATIENCE = 20_000;

/** How long it may take to stop. */
const STOP_PATIENCE = 10_000;

export interface Said {
  code: number;
  text: string;
}

/** A shell in an empty directory, where `jwks-server` is the program under test. */
export class Shell implements AsyncDisposable {
  readonly directory = new Directory();
  /** What the reader does not see: the program's wrapper and what is said. */
  readonly #aside = new Directory();
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  #server: number | undefined;
  #servers = 0;

  constructor(env: Environment) {
    const words = commandLine().map((word) => `'${word}'`).join(" ");
    const wrapper = `${this.#aside.path}/jwks-server`;
    Deno.writeTextFileSync(wrapper, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o700 });
    const outside = inherited();
    this.#process = new Deno.Command("bash", {
      args: ["--noprofile", "--norc"],
      cwd: this.directory.path,
      clearEnv: true,
      env: { ...outside, ...env, PATH: `${this.#aside.path}:${outside.PATH}` },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    const text = this.#process.stdout.pipeThrough<string>(new TextDecoderStream() as never);
    this.#answers = text.getReader();
  }

  /** Runs a command to its end. */
  async run(command: string): Promise<Said> {
    const file = `${this.#aside.path}/said`;
    const code = await this.#ask(`{ ${command}\n} >'${file}' 2>&1 </dev/null; echo "$?"`);
    return { code, text: await Deno.readTextFile(file) };
  }

  /** Starts a server in place of the one before it; gives what it says until it listens. */
  async serve(command: string): Promise<string> {
    await this.stop();
    const file = `${this.#aside.path}/log-${++this.#servers}`;
    await Deno.writeTextFile(file, "");
    this.#server = await this.#ask(`${command} >'${file}' 2>&1 </dev/null & echo "$!"`);
    return await eventually(`${command} listens`, async () => {
      const text = await Deno.readTextFile(file);
      return /^[^]*\bjwks-server listens on .*\n/.exec(text)?.[0];
    }, { patience: START_PATIENCE });
  }

  /** Stops the server, if there is one, as its terminal would. */
  async stop(): Promise<void> {
    const pid = this.#server;
    if (pid === undefined) return;
    this.#server = undefined;
    const impatience = setTimeout(() => Deno.kill(pid, "SIGKILL"), STOP_PATIENCE);
    await this.#ask(`kill ${pid}; wait ${pid}; echo "$?"`);
    clearTimeout(impatience);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#input.close();
    await this.#answers.cancel();
    await this.#process.status;
    await this.#aside[Symbol.asyncDispose]();
    await this.directory[Symbol.asyncDispose]();
  }

  /** Has the shell run a script that prints one number and nothing else. */
  async #ask(script: string): Promise<number> {
    await this.#input.write(new TextEncoder().encode(`${script}\n`));
    let answer = "";
    while (!answer.endsWith("\n")) {
      const { value, done } = await this.#answers.read();
      if (done) throw new Error(`The shell has ended over: ${script}`);
      answer += value;
    }
    return Number(answer);
  }
}
