/** What a server tells of itself where others may work on the same database: `doctor` reads it. */

import project from "../../deno.json" with { type: "json" };
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { Rounds } from "../base/rounds.ts";
import type { KeyRing } from "../keys/key_ring.ts";
import type { Storage } from "../storage/storage.ts";
import { Attempts } from "./attempts.ts";

/** How often a server tells of itself, in milliseconds. */
const INTERVAL = 10_000;

export interface PresenceParts {
  storage: Pick<Storage, "servers">;
  ring: Pick<KeyRing, "check">;
  /** The port on which it listens. */
  port: number;
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
  readonly #rounds = new Rounds(() => this.tell());

  constructor(parts: PresenceParts) {
    this.#parts = parts;
    this.#attempts = new Attempts(parts.log);
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

  /** Tells what is so now. A failure is logged, and nothing else waits for it. */
  async tell(): Promise<void> {
    const { storage, ring, port, clock, hostname = Deno.hostname } = this.#parts;
    await this.#attempts.make("telling other servers of this one", async () => {
      await storage.servers?.tell({
        id: this.#id,
        host: `${hostname()}:${port}`,
        version: project.version,
        at: clock(),
        check: ring.check,
      });
    });
  }
}
