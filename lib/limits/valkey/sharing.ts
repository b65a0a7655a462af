/**
 * Whether servers share their limits just now. A Valkey that fails is left alone until it answers
 * again: nobody waits for it meanwhile, and one probe at a time asks after it.
 */

import type { Log } from "../../base/log.ts";
import { Rounds } from "../../base/rounds.ts";
import { Overdue, type SharingFault, sharingFault } from "./faults.ts";

/** How long a decision may take, in milliseconds: a login waits for it. */
const DEADLINE = 100;

export interface SharingParts {
  connection: { connect(): Promise<void>; close(): void };
  /** A decision that nobody is waiting for. */
  probe: () => Promise<unknown>;
  /** How often that is made, in milliseconds. */
  interval: number;
  /** The server, as people name it. */
  server: string;
  /** What happens to requests while nothing is shared, in words for the log. */
  otherwise: string;
  log: Log;
}

export class Sharing {
  readonly #parts: SharingParts;
  readonly #rounds = new Rounds(() => this.#probe());
  #isInForce = false;
  #wasInForce = false;
  #fallbacks = 0;
  /** How many there were when sharing began to fail. */
  #fallbacksBefore = 0;
  /** The kinds of faults that were told since sharing began to fail. */
  readonly #told = new Set<string>();

  constructor(parts: SharingParts) {
    this.#parts = parts;
  }

  /** Whether decisions are shared now. */
  get isInForce(): boolean {
    return this.#isInForce;
  }

  /** Decisions that could not be shared. */
  get fallbacks(): number {
    return this.#fallbacks;
  }

  /** Connects, and keeps an eye on the server from now on; one that is not there is waited for. */
  async start(): Promise<void> {
    await this.#parts.connection.connect();
    await this.#rounds.run();
    this.#rounds.start(this.#parts.interval);
  }

  async stop(): Promise<void> {
    await this.#rounds.stop();
    this.#parts.connection.close();
  }

  /** What the server says to `ask`; `undefined`, soon, when it cannot be asked. */
  async attempt<Result>(ask: () => Promise<Result>): Promise<Result | undefined> {
    if (!this.#isInForce) return undefined;
    try {
      return await inTime(ask());
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** Counts a decision that could not be shared. */
  countFallback(): void {
    this.#fallbacks++;
  }

  /** Asks even while all is well: so the failure of an idle server costs no request its time. */
  async #probe(): Promise<void> {
    try {
      await inTime(this.#parts.probe());
      this.#succeed();
    } catch (error) {
      this.#fail(error);
    }
  }

  #succeed(): void {
    if (this.#isInForce) return;
    const { log, server } = this.#parts;
    const fallbacks = this.#fallbacks - this.#fallbacksBefore;
    if (this.#wasInForce) log.info("the rate limit is shared again", { server, fallbacks });
    else log.info("the rate limit is shared", { server });
    this.#isInForce = this.#wasInForce = true;
    this.#told.clear();
  }

  /** Another kind of fault is told as well: a server that is there at last may refuse the password. */
  #fail(error: unknown): void {
    if (this.#isInForce) this.#fallbacksBefore = this.#fallbacks;
    this.#isInForce = false;
    const fault = sharingFault(error);
    if (this.#told.has(fault.kind)) return;
    this.#told.add(fault.kind);
    this.#tell(fault);
  }

  #tell({ reason, hint }: SharingFault): void {
    const { log, server, otherwise } = this.#parts;
    const fields = { server, reason, ...hint === undefined ? {} : { hint } };
    log.warn(`the rate limit is not shared: ${otherwise}`, fields);
  }
}

/** What `work` gives, if that is in time. @throws {Overdue} when not; whatever `work` throws. */
function inTime<Result>(work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Overdue(DEADLINE));
    // An answer that waits to be read, because this process was busy, is read before the second one.
    let timer = setTimeout(() => timer = setTimeout(giveUp, 0), DEADLINE);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
