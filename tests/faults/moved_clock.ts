/** The time of day of one process, moved while it runs, by libfaketime. */

import { say } from "../blackbox/skip.ts";

/** Where distributions put the library, below a directory that is named after the machine. */
const LIBRARIES = "/usr/lib";
const LIBRARY = "faketime/libfaketimeMT.so.1";

const library = await findLibrary();

export const canMoveClocks = library !== undefined;
if (!canMoveClocks) await say("clocks that are set while a server runs", "libfaketime");

async function findLibrary(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  for await (const { name } of Deno.readDir(LIBRARIES)) {
    const path = `${LIBRARIES}/${name}/${LIBRARY}`;
    const isThere = await Deno.stat(path).then(() => true, () => false);
    if (isThere) return path;
  }
  return undefined;
}

export class MovedClock {
  readonly #file: string;
  #seconds = 0;

  private constructor(file: string) {
    this.#file = file;
  }

  /** A clock that is right at first; `file` is where it is set. */
  static async at(file: string): Promise<MovedClock> {
    const clock = new MovedClock(file);
    await clock.move(0);
    return clock;
  }

  /** What a process needs in its environment to go by it. */
  get env(): Record<string, string> {
    return {
      LD_PRELOAD: library!,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  /** Its time, in seconds since the epoch. */
  get now(): number {
    return Math.floor(Date.now() / 1000) + this.#seconds;
  }

  /** Sets it so many seconds ahead of the true time. */
  async move(seconds: number): Promise<void> {
    this.#seconds = seconds;
    await Deno.writeTextFile(`${this.#file}.new`, seconds < 0 ? `${seconds}` : `+${seconds}`);
    await Deno.rename(`${this.#file}.new`, this.#file); // it is never half written
  }
}
