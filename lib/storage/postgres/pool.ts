/**
 * Statements to a PostgreSQL server. A call takes two seconds at most, whatever becomes of the server,
 * and rejects with the code `storage_unavailable` when it cannot be reached or does not answer; any
 * other error of a statement is the driver's, whose `code` is an SQLSTATE.
 */

import type { MonotonicClock } from "../../base/clock.ts";
import type { OnShortage } from "./allowance.ts";
import { Connections, serverLimit } from "./connections.ts";
import { askFate, type Fate } from "./commit_fate.ts";
import { Deadline } from "./deadline.ts";
import { classify, CommitUnknown, hasDoneNothing, isLost } from "./faults.ts";
import type { Answer, Lease } from "./lease.ts";
import type { PostgresLocation } from "./location.ts";
import { StatementNames } from "./statement_names.ts";
import { inTransaction, type Isolation, type Statements } from "./transaction.ts";
import type { Value } from "./values.ts";

export type { Answer, Statements, Value };

/** How long a call may take in all, in milliseconds. */
const TIMEOUT = 2000;

/** The most connections that a process has at a time. */
export const MAX_CONNECTIONS = 10;

/** How often a call is made that comes to nothing: connections may be ended one after the other. */
const MAX_ATTEMPTS = 5;

/** How long one waits on average that others were in the way of, in milliseconds, and longer each time. */
const PAUSE = 10;

export interface PostgresOptions {
  /** Certificates, as PEM, that are trusted in place of the system's. */
  ca?: string | undefined;
  /** Is told why a connection was lost that nobody was using. */
  onError?: ((error: unknown) => void) | undefined;
  /** Is told when the server takes fewer connections than are wanted: calls wait for those. */
  onShortage?: OnShortage | undefined;
  /** How long a call may take in all, in milliseconds. */
  timeout?: number;
  /** The most connections at a time. */
  max?: number;
  now?: MonotonicClock | undefined;
}

export interface StatementOptions {
  /** Whether the server is to keep the statement, because it is given all the time. */
  isFrequent?: boolean;
}

/** How long one transaction may take in all, in milliseconds. */
export interface TransactionOptions {
  timeout?: number;
}

type Retry = (error: unknown) => boolean;

export class PostgresPool {
  readonly #connections: Connections;
  readonly #names = new StatementNames();
  readonly #timeout: number;

  /** Connects to nothing yet. */
  constructor(location: PostgresLocation, options: PostgresOptions = {}) {
    const { timeout = TIMEOUT, max = MAX_CONNECTIONS } = options;
    this.#timeout = timeout;
    this.#connections = new Connections(location, { ...options, timeout, max });
  }

  /** How many connections there are. */
  get size(): number {
    return this.#connections.size;
  }

  /** How many of them nobody uses. */
  get idle(): number {
    return this.#connections.idle;
  }

  /** How many calls wait for one. */
  get waiting(): number {
    return this.#connections.waiting;
  }

  /** One statement that changes nothing; it is asked again when the connection was lost. */
  read<Row>(
    sql: string,
    values?: readonly Value[],
    options?: StatementOptions,
  ): Promise<Answer<Row>> {
    return this.#call(mayRetry, (lease) => this.#ask(lease, sql, values, options));
  }

  /**
   * One statement that changes something; it is given again only when it is sure that it has done
   * nothing. Rejected with `storage_unavailable` it may have taken effect when no word of the server's
   * came, and has not otherwise.
   */
  write<Row>(
    sql: string,
    values?: readonly Value[],
    options?: StatementOptions,
  ): Promise<Answer<Row>> {
    return this.#call(hasDoneNothing, (lease) => this.#ask(lease, sql, values, options));
  }

  /**
   * Runs `body` in a transaction at READ COMMITTED: all that it changes, or nothing when it throws.
   * It may be run again from its start, so it does nothing but ask `statements`, one after the other,
   * and never this pool, whose connections may all be waiting like this one. When the connection is
   * lost while it is committed, the server is asked over another one what became of it.
   */
  transaction<Result>(
    body: (statements: Statements) => Promise<Result>,
    options?: TransactionOptions,
  ): Promise<Result> {
    return this.#transact("READ COMMITTED", body, options);
  }

  /** Runs `body`, which sees everything as it was at one moment, and can change nothing. */
  snapshot<Result>(
    body: (statements: Statements) => Promise<Result>,
    options?: TransactionOptions,
  ): Promise<Result> {
    return this.#transact("REPEATABLE READ READ ONLY", body, options);
  }

  /** Waits for the calls that are going on; whatever is asked afterwards is `storage_unavailable`. */
  close(): Promise<void> {
    return this.#connections.close();
  }

  async #ask<Row>(
    lease: Lease,
    sql: string,
    values: readonly Value[] | undefined,
    { isFrequent = false }: StatementOptions = {},
  ): Promise<Answer<Row>> {
    const name = isFrequent ? this.#names.nameOf(sql) : undefined;
    try {
      return await lease.query(sql, values, name);
    } catch (error) {
      if (name === undefined || !this.#names.wasUseless(error)) throw error;
      return await lease.query(sql, values);
    }
  }

  async #transact<Result>(
    isolation: Isolation,
    body: (statements: Statements) => Promise<Result>,
    { timeout = this.#timeout }: TransactionOptions = {},
  ): Promise<Result> {
    const options = { isolation, limit: serverLimit(timeout) };
    const run = (lease: Lease) => inTransaction(lease, options, body);
    using deadline = new Deadline(timeout);
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#attempt(deadline, mayRetry, run);
      } catch (error) {
        const fate = await this.#fateOf(error, deadline);
        if (fate === "committed") return (error as CommitUnknown).committing.result as Result;
        if (attempt >= MAX_ATTEMPTS || fate !== "aborted") throw classify(error);
      }
    }
  }

  /** What became of the transaction that ended with this error; `undefined` when nobody knows. */
  async #fateOf(error: unknown, deadline: Deadline): Promise<Fate | undefined> {
    const number = error instanceof CommitUnknown ? error.committing.number : undefined;
    if (number === undefined) return undefined;
    const ask = (lease: Lease) => askFate(lease, number);
    return await this.#attempt(deadline, mayRetry, ask).catch(() => undefined);
  }

  async #call<Result>(retry: Retry, use: (lease: Lease) => Promise<Result>): Promise<Result> {
    using deadline = new Deadline(this.#timeout);
    try {
      return await this.#attempt(deadline, retry, use);
    } catch (error) {
      throw classify(error);
    }
  }

  /** Lends a connection to `use`, and another one when it fails in a way that permits it. */
  async #attempt<Result>(
    deadline: Deadline,
    retry: Retry,
    use: (lease: Lease) => Promise<Result>,
  ): Promise<Result> {
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#connections.lend(deadline, use);
      } catch (error) {
        if (attempt >= MAX_ATTEMPTS || !retry(error)) throw error;
        if (!isLost(error)) await outOfTheWay(attempt);
      }
    }
  }
}

/** At once, and it would be back before those that it was stopped for had gone on. */
function outOfTheWay(attempt: number): Promise<void> {
  const pause = Math.random() * 2 * PAUSE * attempt;
  return new Promise((resolve) => setTimeout(resolve, pause));
}

/** Of what takes effect all at once, after this error could be. */
function mayRetry(error: unknown): boolean {
  return isLost(error) || hasDoneNothing(error);
}
