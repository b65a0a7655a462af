/** What a program did to its directory, step by step, and what a crash at any step leaves of it. */

import assert from "node:assert/strict";
import { Directory } from "../blackbox/harness.ts";
import { sample } from "./form.ts";
import { lasting, type Loss, ReplayedDisk } from "./replayed_disk.ts";
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
  /** In the order of their ends. */
  readonly calls: readonly Call[];

  private constructor(
    path: string,
    before: ReadonlyMap<string, Uint8Array>,
    calls: readonly Call[],
  ) {
    this.#path = path;
    this.#before = before;
    this.calls = calls;
  }

  /** Records what `work` does in a directory with the command that it is given to run programs by. */
  static async make(
    directory: Directory,
    work: (wrapper: string[]) => Promise<void>,
  ): Promise<Recording> {
    await using aside = new Directory();
    const file = `${aside.path}/trace`;
    const before = lasting(await directory.files());
    await work(tracing(file));
    const calls = parseTrace(await Deno.readTextFile(file));
    const recording = new Recording(directory.path, before, calls);
    recording.#assertComplete(lasting(await directory.files()));
    return recording;
  }

  /** Asserts that what was recorded leads to what is there, so that no call was missed. */
  #assertComplete(found: ReadonlyMap<string, Uint8Array>): void {
    const disk = new ReplayedDisk(this.#path, this.#before);
    for (const call of this.calls) disk.apply(call);
    assert.equal(fingerprint(disk.files("kill")), fingerprint(found));
  }

  /**
   * What is left when it ends by this cause after one of its steps; nothing is told twice. Of the
   * steps that say something all are taken, of the others `count` at most.
   */
  wrecks(loss: Loss, count: number): Wreck[] {
    const disk = new ReplayedDisk(this.#path, this.#before);
    const [silent, saying] = [new Map<string, Wreck>(), new Map<string, Wreck>()];
    const said: string[] = [];
    for (const { call, isSaid } of this.#steps()) {
      if (isSaid) said.push(textOf(call));
      else if (!disk.apply(call)) continue;
      const files = disk.files(loss);
      const known = [...said];
      (isSaid ? saying : silent).set(`${said.length} ${fingerprint(files)}`, {
        what: `${loss} after ${call.name}(${call.args.slice(0, 120)})`,
        files,
        wasSaid: (text) => known.some((one) => one.includes(text)),
      });
    }
    return [...sample([...silent.values()], count), ...saying.values()];
  }

  /** The calls in the order in which they take effect: what is sent may be there from its beginning. */
  #steps(): { call: Call; isSaid: boolean }[] {
    const steps = this.calls.map((call) => {
      const isSaid = /^send|^writev$/.test(call.name) ||
        (call.name === "write" && call.args.startsWith("1<"));
      return { call, isSaid, at: isSaid ? call.begin : call.end };
    });
    return steps.toSorted((one, other) => one.at - other.at);
  }
}

function textOf(call: Call): string {
  return stringsOf(call).map((bytes) => new TextDecoder().decode(bytes)).join("");
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
