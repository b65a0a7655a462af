/** A connection whose failures name the database: a copy has two of them. */

import { namedFailure } from "../named_failure.ts";
import { Connection, OPENING_TIMEOUT } from "./connection.ts";
import { openUnchanged } from "./unchanged.ts";

/** What runs statements on a database. */
export type NamedConnection = Pick<Connection, "get" | "all" | "run" | "close">;

/** Opens the database at `path` so that looking at it changes nothing. */
export function openForReading(path: string): NamedConnection {
  return naming(path, () => openUnchanged(path, OPENING_TIMEOUT).connection);
}

export function openForWriting(path: string): NamedConnection {
  const options = { readOnly: false, busyTimeout: OPENING_TIMEOUT };
  return naming(path, () => Connection.open(path, options));
}

function naming(path: string, open: () => Connection): NamedConnection {
  const name = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      throw namedFailure(path, error);
    }
  };
  const own = name(open);
  return {
    get: (sql, ...values) => name(() => own.get(sql, ...values)),
    all: (sql, ...values) => name(() => own.all(sql, ...values)),
    run: (sql, ...values) => name(() => own.run(sql, ...values)),
    close: () => own.close(),
  };
}
