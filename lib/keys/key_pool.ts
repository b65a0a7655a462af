/** Private keys in the making: several at the same time, taken in the order they are finished. */

/** What is in the making, and what is finished, for one algorithm. */
interface Stock<Key> {
  making: Set<Promise<void>>;
  ready: Key[];
}

/**
 * RSA generation takes an unpredictable time; whoever needs one key takes the first of several. A
 * key that is taken is never given to anybody else, whatever becomes of it.
 */
export class KeyPool<Alg, Key> {
  readonly #generate: (alg: Alg) => Promise<Key>;
  readonly #stocks = new Map<Alg, Stock<Key>>();

  constructor(generate: (alg: Alg) => Promise<Key>) {
    this.#generate = generate;
  }

  /** Starts as many generations as are missing until `count` keys are ready or on their way. */
  prepare(alg: Alg, count: number): void {
    const { making, ready } = this.#stock(alg);
    while (ready.length + making.size < count) {
      const one: Promise<void> = this.#generate(alg)
        .then((key) => void ready.push(key))
        .finally(() => making.delete(one));
      one.catch(() => {}); // reported to whoever waits in `readied`
      making.add(one);
    }
  }

  /** Waits until a key can be taken. @throws what a generation failed with. */
  async readied(alg: Alg): Promise<void> {
    const { making, ready } = this.#stock(alg);
    if (ready.length === 0) await Promise.race(making);
  }

  /** The key that was finished first, or `undefined` when none is ready. */
  take(alg: Alg): Key | undefined {
    return this.#stock(alg).ready.shift();
  }

  #stock(alg: Alg): Stock<Key> {
    const known = this.#stocks.get(alg);
    if (known !== undefined) return known;
    const stock: Stock<Key> = { making: new Set(), ready: [] };
    this.#stocks.set(alg, stock);
    return stock;
  }
}
