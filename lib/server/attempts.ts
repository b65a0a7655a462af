/** Tasks that are tried again and again: a failure is told when it begins and when it is over. */

import { errorFields, type Log } from "../base/log.ts";

export class Attempts {
  readonly #log: Log;
  /** What each task fails with, as it was last told. */
  readonly #failing = new Map<string, string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Does `work`; one that fails keeps nothing else from being done. */
  async make(task: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (this.#failing.delete(task)) this.#log.info(`${task} works again`);
    } catch (error) {
      const reason = String(error);
      if (this.#failing.get(task) !== reason) {
        this.#log.error(`${task} fails and is tried again`, errorFields(error));
      }
      this.#failing.set(task, reason);
    }
  }
}
