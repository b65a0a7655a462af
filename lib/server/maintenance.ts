/** What the server does by itself: it keeps the keys on schedule and purges old log rows. */

import type { Clock, MonotonicClock } from "../base/clock.ts";
import type { KeyRing } from "../keys/key_ring.ts";
import type { Log } from "../base/log.ts";
import { Rounds } from "../base/rounds.ts";
import type { Storage } from "../storage/storage.ts";
import { Attempts } from "./attempts.ts";
import { BatchSize, IN_PROCESS, ON_SERVER } from "./batch_size.ts";

/**
 * How often the schedule is looked at, in milliseconds. It is polled, never slept on: a timer of
 * more than 2^31 ms fires at once, and none survives a clock that is set.
 */
const POLL_INTERVAL = 1000;

/** After everything old is purged, when to look again, in milliseconds. */
const PURGE_INTERVAL = 3_600_000;

/** How long the purge goes on in one round, in milliseconds. */
const PURGE_ROUND = 900;

/**
 * The pause after a batch, in which others go on: as long as the batch took, so that they have half
 * of the time at least, but within these bounds, in milliseconds.
 */
const PURGE_PAUSE = { least: 1, most: 50 };

export interface MaintenanceParts {
  ring: KeyRing;
  storage: Storage;
  /** In seconds. */
  authLogRetention: number;
  clock: Clock;
  /** Measures how long things take. */
  now: MonotonicClock;
  log: Log;
}

export class Maintenance {
  readonly #parts: MaintenanceParts;
  readonly #rounds = new Rounds(() => this.run());
  #isStopped = false;
  readonly #batch: BatchSize;
  /** When everything old was purged last. */
  #purgedAt = -Infinity;
  #purgedRows = 0;
  /** When the keys were last kept, as `now` tells it. */
  #keptAt: number | undefined;
  readonly #attempts: Attempts;

  constructor(parts: MaintenanceParts) {
    this.#parts = parts;
    this.#attempts = new Attempts(parts.log);
    this.#batch = new BatchSize(parts.storage.connections ? ON_SERVER : IN_PROCESS);
  }

  /** How many log rows were purged so far. */
  get purgedRows(): number {
    return this.#purgedRows;
  }

  /**
   * For how many seconds nothing has been learned of the keys in the database, nor done about them;
   * `undefined` before the first time.
   */
  get keysAge(): number | undefined {
    return this.#keptAt === undefined ? undefined : (this.#parts.now() - this.#keptAt) / 1000;
  }

  /** Begins with a first round at once, and resolves when that is over. */
  start(): Promise<void> {
    this.#rounds.start(POLL_INTERVAL);
    return this.#rounds.run();
  }

  /** Ends, and waits for the round that is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#rounds.stop();
  }

  /** One round. A failure is logged when it begins and when it is over, and tried again. */
  async run(): Promise<void> {
    const { ring, now } = this.#parts;
    await this.#attempts.make("key rotation", async () => {
      await ring.maintain();
      this.#keptAt = now();
    });
    await this.#attempts.make("purging the authentication log", () => this.#purge());
  }

  async #purge(): Promise<void> {
    const { storage, clock, now, log, authLogRetention } = this.#parts;
    const time = clock();
    if (Math.abs(time - this.#purgedAt) < PURGE_INTERVAL) return; // a clock set back counts, too
    let rows = 0;
    for (const end = now() + PURGE_ROUND; now() < end && !this.#isStopped;) {
      const limit = this.#batch.rows;
      const start = now();
      let purged: number;
      let elapsed: number;
      try {
        purged = await storage.purgeAuthentications(time - authLogRetention * 1000, limit);
      } finally {
        elapsed = now() - start;
        this.#batch.learn(elapsed); // one that took too long for the server, too
      }
      rows += purged;
      this.#purgedRows += purged;
      if (purged < limit) {
        this.#purgedAt = time;
        break;
      }
      const { least, most } = PURGE_PAUSE;
      const pause = Math.min(Math.max(elapsed, least), most);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    if (rows > 0) log.info("old rows of the authentication log were purged", { rows });
  }
}
