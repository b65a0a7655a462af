/** Private keys in the making: several at the same time, taken in the order they are finished. */

/** RSA generation takes an unpredictable time; whoever needs one key takes the first of several. */
export class KeyPool<Key> {
  readonly #generate: () => Promise<Key>;
  #making: Promise<void>[] = [];
  #ready: Key[] = [];

  constructor(generate: () => Promise<Key>) {
    this.#generate = generate;
  }

  /** Starts as many generations as are missing until `count` keys are ready or on their way. */
  prepare(count: number): void {
    while (this.#ready.length + this.#making.length < count) {
      const making: Promise<void> = this.#generate()
        .then((key) => void this.#ready.push(key))
        .finally(() => this.#making = this.#making.filter((other) => other !== making));
      making.catch(() => {}); // reported to whoever waits in `readied`
      this.#making.push(making);
    }
  }

  /** Waits until a key can be taken. @throws when a generation fails. */
  async readied(): Promise<void> {
    if (this.#ready.length === 0) await Promise.race(this.#making);
  }

  /** The key that was finished first, or `undefined` when none is ready. */
  take(): Key | undefined {
    return this.#ready.shift();
  }

  /** Gives back a key that was not used. */
  putBack(key: Key): void {
    this.#ready.unshift(key);
  }
}
