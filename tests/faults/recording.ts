/** What a program did to its directory, step by step, and what a crash at any step leaves of it. */

import { Directory } from "../blackbox/harness.ts";
import { ReplayedDisk, type Loss } from "./replayed_disk.ts";
import { type Call, parseTrace, stringsOf, tracing } from "./syscalls.ts";

/** What is found after a crash. */
export interface Wreck {
  /** Where and how it came to be, for people. */
  what: string;
  files: ReadonlyMap<string, Uint8Array>;
  /** Whether this had been said to somebody by then, over a socket or on standard output. */
  wasSaid(text: string): boolean;
}

export class Recording {
  readonly #path: string;
  readonly #before: ReadonlyMap<string, Uint8Array>;
  readonly #calls: readonly Call[];

  private constructor(
    path: string,
    before: ReadonlyMap<string, Uint8Array>,
    calls: readonly Call[],
  ) {
    this.#path = path;
    this.#before = before;
    this.#calls = calls;
  }

  /** Records what `work` does in a directory with the command that it is given to run programs by. */
  static async make(
    directory: Directory,
    work: (wrapper: string[]) => Promise<void>,
  ): Promise<Recording> {
    await using aside = new Directory();
    const file = `${aside.path}/trace`;
    const before = await directory.files();
    await work(tracing(file));
    return new Recording(directory.path, before, parseTrace(await Deno.readTextFile(file)));
  }

  /** What is left when it ends by this cause after each of its steps; nothing is told twice. */
  wrecks(loss: Loss): Wreck[] {
    const disk = new ReplayedDisk(this.#path, this.#before);
    const found = new Map<string, Wreck>();
    for (const call of this.#calls) {
      if (!disk.apply(call)) continue;
      const files = disk.files(loss);
      const said = this.#said(call.end);
      const what = `${loss} after ${call.name}(${call.args.slice(0, 120)})`;
      const known = `${said.length} ${fingerprint(files)}`;
      if (found.has(known)) continue;
      found.set(known, { what, files, wasSaid: (text) => said.some((one) => one.includes(text)) });
    }
    return [...found.values()];
  }

  /** Everything that was sent, or was about to be, at that line of the trace. */
  #said(line: number): string[] {
    return this.#calls.filter(({ name, begin, args }) =>
      begin <= line && (/^send|^writev$/.test(name) || (name === "write" && args.startsWith("1<")))
    ).map((call) => stringsOf(call).map((bytes) => new TextDecoder().decode(bytes)).join(""));
  }
}

/** Files in a directory of their own, as a process finds them that starts after the crash. */
export async function restore({ files }: Wreck): Promise<Directory> {
  const directory = new Directory();
  for (const [name, bytes] of files) {
    await Deno.writeFile(`${directory.path}/${name}`, bytes, { mode: 0o600 });
  }
  return directory;
}

/** Nearly enough to tell two states of a directory apart. */
function fingerprint(files: ReadonlyMap<string, Uint8Array>): string {
  const sums = [...files].map(([name, bytes]) => {
    return `${name} ${bytes.length} ${bytes.reduce((sum, byte) => (sum * 31 + byte) | 0, 0)}`;
  });
  return sums.sort().join();
}
