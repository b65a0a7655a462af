/** A running program that speaks the driver's protocol. */

import assert from "node:assert/strict";
import { within } from "../../../lib/base/deadline.ts";
import type { Command } from "./library.ts";

/** How long an answer may take, in milliseconds: only a program that hangs comes near. */
const PATIENCE = 60_000;

/** What a program is told in its environment. */
export interface Situation extends Record<string, string> {
  ISSUER: string;
  CLIENT_ID: string;
  CLIENT_SECRET: string;
  AUDIENCE: string;
  ALG: string;
}

export class ClientProgram implements AsyncDisposable {
  /** Its last answer. */
  said = "";
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string, undefined>;
  readonly #complaints: Promise<string>;

  constructor([program, ...args]: Command, cwd: string, situation: Situation) {
    const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    this.#process = new Deno.Command(program, { args, cwd, env: situation, ...pipes }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#lines = lines(this.#process.stdout);
    this.#complaints = this.#process.stderr.text();
  }

  /** A token that it has got for itself; `undefined` when its library does not do that. */
  async token(): Promise<string | undefined> {
    const answer = await this.#ask("token");
    if (answer === "unsupported") return undefined;
    return /^token (\S+)$/.exec(answer)?.[1] ?? await this.#fail(answer);
  }

  /** The `sub` of a token that it takes; `undefined` when it refuses the token. */
  async verify(token: string): Promise<string | undefined> {
    const answer = await this.#ask(`verify ${token}`);
    if (/^invalid \S/.test(answer)) return undefined;
    return /^valid (\S+)$/.exec(answer)?.[1] ?? await this.#fail(answer);
  }

  /** Ends its input, upon which it must end well. */
  async end(): Promise<void> {
    await this.#input.close();
    if (!await within(PATIENCE, this.#process.status)) this.#kill();
    const { code } = await this.#process.status;
    assert.equal(code, 0, await this.#complaints);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.#process.status;
    await this.#lines.return!();
    await this.#complaints;
  }

  async #ask(command: string): Promise<string> {
    const answer = this.#exchange(command).catch(() => undefined); // its input has been closed
    if (!await within(PATIENCE, answer)) this.#kill();
    this.said = await answer ?? await this.#fail("nothing");
    return this.said;
  }

  async #exchange(command: string): Promise<string | undefined> {
    await this.#input.write(new TextEncoder().encode(`${command}\n`));
    return (await this.#lines.next()).value;
  }

  #kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
  }

  async #fail(answer: string): Promise<never> {
    this.#kill();
    throw new Error(`The program answers ${answer}\n${await this.#complaints}`);
  }
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream() as never)) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
  return undefined;
}
