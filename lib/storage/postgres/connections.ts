/** The pool of connections to one PostgreSQL server: each is lent to one call at a time. */

import pg from "pg";
import type { MonotonicClock } from "../../base/clock.ts";
import { within } from "../../base/deadline.ts";
import { storageUnavailable } from "../../base/errors.ts";
import { Allowance, type ConnectionCount, type OnShortage } from "./allowance.ts";
import { clientClass, clientOptions, type ServerLimits } from "./client.ts";
import type { TimeLimit } from "./deadline.ts";
import { classify, ConnectionFailed, ConnectionLost, isTurnedAway, sqlState } from "./faults.ts";
import { discard, Lease } from "./lease.ts";
import type { PostgresLocation } from "./location.ts";

/** How many calls may wait for a connection; those beyond are refused at once. */
const MAX_WAITING = 500;

/** For how long a connection is kept that nobody needs, in milliseconds. */
const IDLE_TIMEOUT = 60_000;

/** How long closing waits for the server's end of the connections, in milliseconds. */
const GOODBYE_PATIENCE = 200;

/** protocol_violation: how a pooler in between refuses what it cannot pass on when a connection begins. */
const REFUSED_PARAMETER = "08P01";

export interface ConnectionsOptions {
  /** Certificates, as PEM, that are trusted in place of the system's. */
  ca?: string | undefined;
  /** Is told why a connection was lost that nobody was using. */
  onError?: ((error: unknown) => void) | undefined;
  /** Is told when the server takes fewer connections than are wanted, and has some. */
  onShortage?: OnShortage | undefined;
  /** How long a call may take in all, in milliseconds. */
  timeout: number;
  /** The most connections at a time. */
  max: number;
  now?: MonotonicClock | undefined;
}

/**
 * How long the server goes on by itself with what a call of `timeout` milliseconds asks: shorter, so
 * that the call ends with its word that nothing was done.
 */
export function serverLimit(timeout: number): number {
  return Math.ceil(timeout * 0.8);
}

export class Connections {
  readonly #pool: pg.Pool;
  /** All connections, and how many had been lost when each was made. */
  readonly #clients = new Map<pg.PoolClient, number>();
  /** The same without those that are about to end. */
  readonly #usable = new Set<pg.PoolClient>();
  /** Those that were told that they are over. */
  readonly #failed = new WeakSet<pg.PoolClient>();
  readonly #allowance: Allowance;
  #losses = 0;
  #limits: ServerLimits | undefined;

  constructor(location: PostgresLocation, options: ConnectionsOptions) {
    const { ca, onError, onShortage = () => {}, timeout, max, now } = options;
    const limit = serverLimit(timeout);
    this.#allowance = new Allowance(max, onShortage, now ?? (() => performance.now()));
    this.#limits = { statement_timeout: limit, idle_in_transaction_session_timeout: limit };
    this.#pool = new pg.Pool({
      ...clientOptions(location, { ca, timeout }),
      Client: clientClass(timeout, () => this.#limits),
      idleTimeoutMillis: IDLE_TIMEOUT,
    });
    Object.defineProperty(this.#pool.options, "max", { get: () => this.#allowance.most });
    this.#pool.on("connect", (client) => this.#welcome(client));
    this.#pool.on("release", (isGivenUp, client) => {
      if (isGivenUp) this.#usable.delete(client);
    });
    this.#pool.on("remove", (client) => {
      this.#usable.delete(client);
      this.#clients.delete(client);
    });
    this.#pool.on("error", (error) => {
      delete (error as { client?: unknown }).client; // which has the password
      onError?.(classify(new ConnectionLost(error)));
    });
  }

  get size(): number {
    return this.#pool.totalCount;
  }

  get idle(): number {
    return this.#pool.idleCount;
  }

  get waiting(): number {
    return this.#pool.waitingCount;
  }

  /** Lends a connection to `use`. */
  async lend<Result>(deadline: TimeLimit, use: (lease: Lease) => Promise<Result>): Promise<Result> {
    const client = await this.#connect(deadline);
    using lease = new Lease(client, deadline);
    try {
      return await use(lease);
    } finally {
      if (lease.isLost && this.#isCurrent(client)) this.#losses++;
      if (this.#allowance.isExceeded(this.#count())) lease.isLast = true;
    }
  }

  /** Waits for what is going on, and then for the server no longer than a moment. */
  async close(): Promise<void> {
    if (this.#pool.ending) return;
    await this.#pool.end();
    const goodbyes = [...this.#clients.keys()].map((client) =>
      new Promise((resolve) => client.once("end", resolve))
    );
    await within(GOODBYE_PATIENCE, Promise.all(goodbyes));
    for (const client of this.#clients.keys()) client.connection.stream.destroy();
  }

  /**
   * A connection that was made after the last one that was lost: when a server has restarted, or has
   * another address by now, those from before are of no use, and may not know it yet.
   */
  async #connect(deadline: TimeLimit): Promise<pg.PoolClient> {
    for (;;) {
      const client = await this.#anyClient(deadline);
      if (this.#isCurrent(client) && !this.#failed.has(client)) return client;
      discard(client);
    }
  }

  /**
   * An error that comes right behind the end of the greeting is the first one's that the connection
   * was made for, who is not there yet: unheard, it would end the process.
   */
  #welcome(client: pg.PoolClient): void {
    this.#clients.set(client, this.#losses);
    this.#usable.add(client);
    this.#allowance.grow(this.#count());
    client.on("error", () => void this.#failed.add(client));
  }

  #isCurrent(client: pg.PoolClient): boolean {
    return this.#clients.get(client) === this.#losses;
  }

  #count(): ConnectionCount {
    return { made: this.#usable.size, all: this.#pool.totalCount };
  }

  /** When the server takes no more, the next call waits for one of those that there are. */
  async #anyClient(deadline: TimeLimit): Promise<pg.PoolClient> {
    try {
      return await this.#orWithoutLimits(() => this.#acquire(deadline));
    } catch (error) {
      if (isTurnedAway(error)) this.#allowance.refuse(error, this.#count());
      throw error;
    }
  }

  async #orWithoutLimits<Result>(connect: () => Promise<Result>): Promise<Result> {
    try {
      return await connect();
    } catch (error) {
      if (sqlState(error) !== REFUSED_PARAMETER) throw error;
      this.#limits = undefined;
      return await connect();
    }
  }

  async #acquire(deadline: TimeLimit): Promise<pg.PoolClient> {
    if (this.#pool.ending || this.waiting >= MAX_WAITING) throw storageUnavailable("unreachable");
    const connecting = this.#pool.connect();
    try {
      return await deadline.wait(() => connecting);
    } catch (error) {
      // One that comes too late is for others.
      connecting.then((client) => client.release(), () => {});
      throw new ConnectionFailed(error);
    }
  }
}
