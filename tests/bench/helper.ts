/** Processes that answer lines with lines. */

import { fileURLToPath } from "node:url";

export class LineProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(command: string, args: readonly string[]) {
    this.#process = new Deno.Command(command, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#reader = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Sends an empty line and waits for one. */
  async ask(): Promise<string> {
    await this.#writer.write(new TextEncoder().encode("\n"));
    return await this.line();
  }

  /** The next line that the process says. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("The process has ended");
      this.#text += value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#reader.cancel();
    await this.#writer.abort().catch(() => {}); // its reader is gone
    await this.#process.status;
  }
}

/** A script of this directory, with the project's imports. */
export class Helper extends LineProcess {
  constructor(script: string, args: readonly string[] = []) {
    const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
    const path = fileURLToPath(new URL(script, import.meta.url));
    super(Deno.execPath(), ["run", "--quiet", "--config", config, "-P", path, ...args]);
  }
}
