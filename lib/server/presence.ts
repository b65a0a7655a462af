/** What a server tells of itself where others may work on the same database: `doctor` reads it. */

import project from "../../deno.json" with { type: "json" };
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { Rounds } from "../base/rounds.ts";
import type { KeyRing } from "../keys/key_ring.ts";
import type { Storage } from "../storage/storage.ts";
import { Attempts } from "./attempts.ts";
import { ClockWatch } from "./clock_watch.ts";

/** How often a server tells of itself, in milliseconds. */
const INTERVAL = 10_000;

export interface PresenceParts {
  storage: Pick<Storage, "servers">;
  ring: Pick<KeyRing, "check">;
  /** The port on which it listens, and what else it tells of itself as it is. */
  port: number;
  issuer: string | null;
  limitedAt: string | null;
  clock: Clock;
  log: Log;
  /** The name of this machine. */
  hostname?: () => string;
}

export class Presence {
  readonly #parts: PresenceParts;
  /** Tells this process from those before it on the same machine. */
  readonly #id = crypto.randomUUID();
  readonly #attempts: Attempts;
  readonly #clockWatch: ClockWatch;
  readonly #rounds = new Rounds(() => this.tell());

  constructor(parts: PresenceParts) {
    this.#parts = parts;
    this.#attempts = new Attempts(parts.log);
    this.#clockWatch = new ClockWatch(parts.log);
  }

  /** Tells at once, and from now on; of a database that one machine alone has there is nothing to tell. */
  start(): void {
    if (this.#parts.storage.servers === undefined) return;
    this.#rounds.start(INTERVAL);
    void this.#rounds.run();
  }

  /** Ends, and waits for the round that is under way. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** Tells what is so now, and learns how far this machine's clock is off. A failure is logged, and nothing else waits for it. */
  async tell(): Promise<void> {
    const { storage: { servers }, ring, clock } = this.#parts;
    if (servers === undefined) return;
    await this.#attempts.make("telling other servers of this one", async () => {
      const before = clock();
      const theirs = await servers.tell({
        ...this.#lasting(),
        at: before,
        check: ring.check,
      });
      this.#clockWatch.observe((before + clock()) / 2 - theirs);
    });
  }

  /** What is so for as long as it runs. */
  #lasting() {
    const { port, issuer, limitedAt, hostname = Deno.hostname } = this.#parts;
    const host = `${hostname()}:${port}`;
    return { id: this.#id, host, version: project.version, issuer, limitedAt };
  }
}
