/** Work that is done again and again, one round at a time. */

export class Rounds {
  readonly #work: () => Promise<void>;
  #timer: ReturnType<typeof setInterval> | undefined;
  #running: Promise<void> | undefined;

  /** @param work must not fail: nobody is told. */
  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** Does a round every so many milliseconds, but for those at which one is still under way. */
  start(interval: number): void {
    this.#timer = setInterval(() => void this.run(), interval);
  }

  /** Does a round now, and resolves when that, or the one under way, is over. */
  run(): Promise<void> {
    return this.#running ??= this.#work().finally(() => this.#running = undefined);
  }

  /** Ends, and waits for the round that is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }
}
