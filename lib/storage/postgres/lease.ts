/** A connection of the pool, for as long as a call has it. */

import type pg from "pg";
import { DeadlineExceeded, type TimeLimit } from "./deadline.ts";
import { ConnectionLost, endsConnection, sqlState } from "./faults.ts";
import type { Value } from "./values.ts";

/** What a statement gave. */
export interface Answer<Row> {
  rows: Row[];
  /** How many rows it gave or changed. */
  count: number;
}

/** What came of a command. */
export interface Done {
  /** The name of what was done, by which a ROLLBACK can be told from the COMMIT that was asked for. */
  name: string;
  rows: Record<string, unknown>[];
}

/** One that was made read-only is no use, while another connection may lead to the new primary. */
const READ_ONLY = "25006";

export class Lease implements Disposable {
  readonly #client: pg.PoolClient;
  readonly #deadline: TimeLimit;
  readonly #since = performance.now();
  /** What the connection was lost by. */
  #loss: unknown;
  #isBroken = false;
  /** Whether the connection is given up afterwards. */
  isLast = false;

  constructor(client: pg.PoolClient, deadline: TimeLimit) {
    this.#client = client;
    this.#deadline = deadline;
    client.on("error", this.#lose);
  }

  /**
   * One statement, whose values are never part of its text. With a `name` the server keeps it for the
   * next time; behind a pooler that may meet another session.
   */
  async query<Row>(
    text: string,
    values: readonly Value[] = [],
    name?: string,
  ): Promise<Answer<Row>> {
    // In the extended protocol, so that a statement is committed after all that it may fail by.
    const { rows, rowCount } = await this.#ask({
      text,
      values: [...values],
      queryMode: "extended",
      ...(name === undefined ? {} : { name }),
    });
    return { rows, count: rowCount ?? 0 };
  }

  /** Several statements in one round trip; gives what came of the last one. */
  async command(text: string): Promise<Done> {
    const answers: pg.QueryResult | pg.QueryResult[] = await this.#ask({ text });
    const { command: name, rows } = [answers].flat().at(-1)!;
    return { name, rows };
  }

  /** Waits for something else, for no longer than the call may take. */
  wait<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#deadline.wait(work);
  }

  /** Whether the connection was lost, in which case others may be as well. */
  get isLost(): boolean {
    return this.#loss !== undefined;
  }

  [Symbol.dispose](): void {
    this.#client.off("error", this.#lose);
    if (this.#isBroken) discard(this.#client);
    else this.#client.release(this.isLast);
  }

  async #ask(query: pg.QueryConfig & { queryMode?: string }): Promise<pg.QueryResult> {
    try {
      return await this.#deadline.wait(() => this.#client.query(query));
    } catch (error) {
      if (endsConnection(error) || this.#isSilence(error)) this.#lose(error);
      const state = sqlState(error);
      if (state === undefined || state === READ_ONLY) this.#isBroken = true;
      const isUnsaid = state === undefined && !(error instanceof DeadlineExceeded);
      throw isUnsaid && this.isLost ? new ConnectionLost(error) : error;
    }
  }

  /** Whether the server did not answer, and not only late because others were first. */
  #isSilence(error: unknown): boolean {
    return error instanceof DeadlineExceeded && performance.now() - this.#since > error.limit / 2;
  }

  readonly #lose = (error: unknown): void => {
    this.#loss = error;
    this.#isBroken = true;
  };
}

/** Ends a connection at once, not by a word to the server, whose answer others would wait for. */
export function discard(client: pg.PoolClient): void {
  client.connection.stream.destroy();
  client.release(true);
}
