/** Whether the server can do its work: sign a token, and put on record that it did. */

import type { MonotonicClock } from "../base/clock.ts";
import { isDomainError } from "../base/errors.ts";
import { errorFields, type Log } from "../base/log.ts";
import type { KeyRing } from "../keys/key_ring.ts";
import type { Storage } from "../storage/storage.ts";

/** For how long an answer stands, in milliseconds, however often it is asked for. */
const INTERVAL = 1000;

export interface ReadinessParts {
  ring: Pick<KeyRing, "signer">;
  storage: Pick<Storage, "assertWritable">;
  now: MonotonicClock;
  log: Log;
}

export class Readiness {
  readonly #parts: ReadinessParts;
  #known: { at: number; hindrance: Promise<string | undefined> } | undefined;
  #lastTold: string | undefined;

  constructor(parts: ReadinessParts) {
    this.#parts = parts;
  }

  /**
   * What keeps the server from its work, in words that anybody may read; `undefined` when nothing
   * does. It is found out at most once a second, and only when somebody asks.
   */
  readonly findHindrance = (): Promise<string | undefined> => {
    const now = this.#parts.now();
    if (this.#known === undefined || now - this.#known.at >= INTERVAL) {
      this.#known = { at: now, hindrance: this.#find() };
    }
    return this.#known.hindrance;
  };

  async #find(): Promise<string | undefined> {
    const { ring, storage } = this.#parts;
    const failure = await failureOf("No key can sign just now", () => ring.signer()) ??
      await failureOf("The database cannot be written just now", () => storage.assertWritable());
    this.#tell(failure);
    return failure?.hindrance;
  }

  /** The log tells each hindrance when it begins, with its cause, and that all are over. */
  #tell(failure: Failure | undefined): void {
    if (failure?.hindrance === this.#lastTold) return;
    this.#lastTold = failure?.hindrance;
    const { log } = this.#parts;
    if (failure === undefined) return log.info("the server is ready again");
    const { hindrance, error } = failure;
    const fault = isDomainError(error) ? error.data.fault : undefined;
    log.warn("the server is not ready", {
      hindrance,
      ...errorFields(error),
      ...(fault === undefined ? {} : { fault }),
    });
  }
}

interface Failure {
  hindrance: string;
  error: unknown;
}

async function failureOf(
  hindrance: string,
  work: () => Promise<unknown>,
): Promise<Failure | undefined> {
  return await work().then(() => undefined, (error) => ({ hindrance, error }));
}
