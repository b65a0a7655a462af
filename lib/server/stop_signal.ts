/**
 * The signals that ask a process to end. It imports nothing, so that it can be there before anything
 * else is loaded.
 */

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** The exit codes of a process that a signal has ended, as shells tell them: 128 and its number. */
const EXIT_CODES = { SIGTERM: 143, SIGINT: 130 } as const;

export type StopSignalName = (typeof SIGNALS)[number];

/** Waits for SIGTERM and SIGINT from the moment it is made. A second one ends the process at once. */
export class StopSignal {
  /** Resolves with the first one. */
  readonly received: Promise<StopSignalName>;
  #first: StopSignalName | undefined;
  readonly #listeners: readonly [StopSignalName, () => void][];

  constructor() {
    const { promise, resolve } = Promise.withResolvers<StopSignalName>();
    this.received = promise;
    this.#listeners = SIGNALS.map((name) => [name, () => {
      if (this.#first !== undefined) Deno.exit(EXIT_CODES[name]);
      this.#first = name;
      resolve(name);
    }]);
    for (const [name, listener] of this.#listeners) Deno.addSignalListener(name, listener);
  }

  /** Whether one has come. */
  get isReceived(): boolean {
    return this.#first !== undefined;
  }

  /** Gives the signals back their usual effect, which is also that of one that has come by now. */
  release(): void {
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
    if (this.#first !== undefined) Deno.exit(EXIT_CODES[this.#first]);
  }
}
