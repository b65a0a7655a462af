/** How far a command is that takes long: a line on standard error, for a person at a terminal. */

import type { MonotonicClock } from "../base/clock.ts";
import { printable } from "../base/text.ts";

/** What takes less than this needs no word, in milliseconds. */
const PATIENCE = 1000;

/** How often the line is written anew, in milliseconds. */
const INTERVAL = 100;

/** The width of a bar, in characters. */
const WIDTH = 30;

/** To the beginning of the line, which is emptied. */
const ERASE = "\r\x1b[2K";

export interface ProgressParts {
  /** Writes to the terminal; without one, nothing is ever shown. */
  write: ((text: string) => void) | undefined;
  now: MonotonicClock;
}

export class Progress {
  readonly #parts: ProgressParts;
  readonly #start: number;
  #shownAt = -Infinity;
  #isShown = false;

  constructor(parts: ProgressParts) {
    this.#parts = parts;
    this.#start = parts.now();
  }

  /** So many of all are done: a bar, once the command has taken longer than a second. */
  count(what: string, done: number, total: number): void {
    const { now } = this.#parts;
    if (now() - this.#start < PATIENCE || now() - this.#shownAt < INTERVAL) return;
    const filled = Math.floor(WIDTH * done / total);
    this.#show(`${what} [${"#".repeat(filled).padEnd(WIDTH)}] ${done} of ${total}`);
  }

  /**
   * What is done next, in one piece that nothing can be said of while it lasts: once the command has
   * taken longer than a second, or before if that piece alone takes so long.
   */
  step(what: string, isLong: boolean): void {
    if (isLong || this.#parts.now() - this.#start >= PATIENCE) this.#show(`${what} …`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#isShown) this.#parts.write?.(ERASE);
    this.#isShown = false;
  }

  #show(text: string): void {
    if (this.#parts.write === undefined) return;
    this.#parts.write(`${ERASE}${printable(text)}`);
    this.#shownAt = this.#parts.now();
    this.#isShown = true;
  }
}
