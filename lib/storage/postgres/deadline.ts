/** The time that a call may take in all, whatever it waits for. */

/** It was over before an answer came, which may be still on its way. */
export class DeadlineExceeded extends Error {
  override name = "DeadlineExceeded";

  /** In milliseconds. */
  readonly limit: number;

  constructor(limit: number) {
    super(`No answer within ${limit} ms`);
    this.limit = limit;
  }
}

/** What ends whatever is waited for. */
export type TimeLimit = Pick<Deadline, "wait">;

export class Deadline implements Disposable {
  readonly #over: Promise<never>;
  readonly #timer: ReturnType<typeof setTimeout>;
  #isOver = false;

  constructor(milliseconds: number) {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {}); // told to those who wait, and there may be nobody
    this.#over = promise;
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      reject(new DeadlineExceeded(milliseconds));
    }, milliseconds);
  }

  /**
   * Begins `work` and waits for it; throws `DeadlineExceeded` when there is no time any more, and
   * then does not begin it.
   */
  wait<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#isOver ? this.#over : Promise.race([this.#over, work()]);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** Time that begins anew with whatever is waited for: for work that is long by its many parts. */
export class StepLimit implements TimeLimit {
  readonly #milliseconds: number;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  async wait<Result>(work: () => Promise<Result>): Promise<Result> {
    using deadline = new Deadline(this.#milliseconds);
    return await deadline.wait(work);
  }
}
