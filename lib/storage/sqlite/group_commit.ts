/** Several writes in one transaction: they share what a commit costs, the wait for the disk. */

import { isDomainError } from "../../base/errors.ts";

/** A write that waits, and who waits for it. */
interface Pending<Input, Result> {
  input: Input;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

export interface GroupCommitParts<Input, Result> {
  /** Runs `body` in a transaction, and resolves when what it wrote is on the disk. */
  transaction: <Value>(body: () => Value) => Promise<Value>;
  /** Writes one input, inside of a transaction. */
  write: (input: Input) => Result;
  /** Calls `next` when everything else has had a turn of the event loop. */
  schedule: (next: () => void) => void;
}

/** Turns of the event loop for which a group is open at the most; one that is idle ends it. */
const MOST_TURNS = 10;

/**
 * Writes in one transaction what comes turn by turn of the event loop. Nobody is answered before
 * the commit that holds its write, and nobody's failure is another's.
 */
export class GroupCommit<Input, Result> {
  readonly #parts: GroupCommitParts<Input, Result>;
  #waiting: Pending<Input, Result>[] = [];

  constructor(parts: GroupCommitParts<Input, Result>) {
    this.#parts = parts;
  }

  /** Writes `input`, and gives what `write` gives when it is on the disk. @throws what that throws. */
  add(input: Input): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ input, resolve, reject });
      if (this.#waiting.length === 1) this.#gather(0, 0);
    });
  }

  /** Commits when a turn of the event loop has brought no more, or there were enough of them. */
  #gather(turns: number, before: number): void {
    const size = this.#waiting.length;
    if (size === before || turns === MOST_TURNS) return void this.#commit();
    this.#parts.schedule(() => this.#gather(turns + 1, size));
  }

  async #commit(): Promise<void> {
    const group = this.#waiting;
    this.#waiting = [];
    const { transaction, write } = this.#parts;
    try {
      const results = await transaction(() => group.map(({ input }) => write(input)));
      group.forEach(({ resolve }, place) => resolve(results[place]!));
    } catch (error) {
      if (group.length > 1 && isOfOne(error)) {
        for (const one of group) await this.#commitAlone(one);
      } else for (const { reject } of group) reject(error);
    }
  }

  async #commitAlone({ input, resolve, reject }: Pending<Input, Result>): Promise<void> {
    const { transaction, write } = this.#parts;
    await transaction(() => write(input)).then(resolve, reject);
  }
}

/** The disk fails all of a group alike; a statement that fails may be one's alone. */
function isOfOne(error: unknown): boolean {
  return !isDomainError(error, "storage_unavailable") || error.data.fault === "altered";
}
