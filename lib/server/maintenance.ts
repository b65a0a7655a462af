/** What the server does by itself: it keeps the keys on schedule and purges old log rows. */

import type { Clock } from "../base/clock.ts";
import type { KeyRing } from "../keys/key_ring.ts";
import { errorFields, type Log } from "../base/log.ts";
import type { Storage } from "../storage/storage.ts";

/**
 * How often the schedule is looked at, in milliseconds. It is polled, never slept on: a timer of
 * more than 2^31 ms fires at once, and none survives a clock that is set.
 */
const POLL_INTERVAL = 1000;

/** After everything old is purged, when to look again, in milliseconds. */
const PURGE_INTERVAL = 3_600_000;

/** Log rows deleted in one transaction: few enough that no request waits for it. */
const PURGE_BATCH = 100;

/** Transactions in one round, and the pause after each, in milliseconds, in which others go on. */
const PURGE_BATCHES = 20;
const PURGE_PAUSE = 5;

export interface MaintenanceParts {
  ring: KeyRing;
  storage: Storage;
  /** In seconds. */
  authLogRetention: number;
  clock: Clock;
  log: Log;
}

export class Maintenance {
  readonly #parts: MaintenanceParts;
  #timer: ReturnType<typeof setInterval> | undefined;
  #running: Promise<void> | undefined;
  /** When everything old was purged last. */
  #purgedAt = -Infinity;
  #purgedRows = 0;
  /** What each task fails with, as it was last told. */
  readonly #failing = new Map<string, string>();

  constructor(parts: MaintenanceParts) {
    this.#parts = parts;
  }

  /** How many log rows were purged so far. */
  get purgedRows(): number {
    return this.#purgedRows;
  }

  /** Begins with a first round at once, and resolves when that is over. */
  start(): Promise<void> {
    const round = () => this.#running ??= this.run().finally(() => this.#running = undefined);
    this.#timer = setInterval(round, POLL_INTERVAL);
    return round();
  }

  /** Ends, and waits for the round that is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** One round. A failure is logged when it begins and when it is over, and tried again. */
  async run(): Promise<void> {
    await this.#attempt("key rotation", () => this.#parts.ring.maintain());
    await this.#attempt("purging the authentication log", () => this.#purge());
  }

  async #purge(): Promise<void> {
    const { storage, clock, log, authLogRetention } = this.#parts;
    const now = clock();
    if (Math.abs(now - this.#purgedAt) < PURGE_INTERVAL) return; // a clock set back counts, too
    let rows = 0;
    for (let batch = 0; batch < PURGE_BATCHES && this.#purgedAt !== now; batch++) {
      const purged = await storage.purgeAuthentications(now - authLogRetention * 1000, PURGE_BATCH);
      if (purged < PURGE_BATCH) this.#purgedAt = now;
      rows += purged;
      this.#purgedRows += purged;
      await new Promise((resolve) => setTimeout(resolve, PURGE_PAUSE));
    }
    if (rows > 0) log.info("old rows of the authentication log were purged", { rows });
  }

  async #attempt(task: string, work: () => Promise<void>): Promise<void> {
    const { log } = this.#parts;
    try {
      await work();
      if (this.#failing.delete(task)) log.info(`${task} works again`);
    } catch (error) {
      const reason = String(error);
      if (this.#failing.get(task) !== reason) {
        log.error(`${task} fails and is tried again`, errorFields(error));
      }
      this.#failing.set(task, reason);
    }
  }
}
