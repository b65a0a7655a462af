/** The databases that several servers can share: what each promises is the same. */

import { Directory } from "../blackbox/harness.ts";

/** A database that servers find by the variable `DATABASE`. */
export interface SharedDatabase extends AsyncDisposable {
  /** The value of `DATABASE`. */
  readonly location: string;
}

export interface Engine {
  name: string;
  /** Makes an empty database, which is gone when it is disposed of. */
  create(): Promise<SharedDatabase>;
}

const SQLITE: Engine = {
  name: "SQLite",
  create() {
    const directory = new Directory();
    return Promise.resolve({
      location: directory.database,
      [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
    });
  },
};

/** Those that this machine has. */
export const ENGINES: readonly Engine[] = [SQLITE];
