/** What keeps servers from sharing their limits, in words for the log. */

import { replyCode } from "./connection.ts";

export interface SharingFault {
  /** Tells faults apart. */
  kind: string;
  reason: string;
  /** What to do about it, where that is known. */
  hint?: string;
}

/** The server did not answer in time. */
export class Overdue extends Error {
  override name = "Overdue";

  constructor(milliseconds: number) {
    super(`No answer within ${milliseconds} ms`);
  }
}

/** A reply is the server's text: no more of it is told than one line takes. */
const LONGEST_REASON = 200;

const PASSWORD = "see that REDIS_URL has the user and the password that the server expects";
const RIGHTS = "see that the user may run the commands of the script, on the keys jwks-server:*";
const MEMORY = "give the server more memory, or keep from it what else it holds";
const WRITABLE = "see that REDIS_URL leads to a server that takes writes";

/** What is to be done about an error reply, by its code. */
const HINTS: Readonly<Record<string, string>> = {
  WRONGPASS: PASSWORD,
  NOAUTH: PASSWORD,
  ERR: `it must be Redis 6, Valkey 7 or newer; ${RIGHTS}`,
  NOPERM: RIGHTS,
  OOM: MEMORY,
  READONLY: WRITABLE,
  NOREPLICAS: WRITABLE,
  MISCONF: "the server cannot write its snapshots: see its own log",
  MOVED: "REDIS_URL must lead to a server that is not part of a cluster",
  WRONGTYPE: "another program uses the keys jwks-server:*: give this one a database of its own",
};

export function sharingFault(error: unknown): SharingFault {
  const reason = error instanceof Error ? error.message.slice(0, LONGEST_REASON) : typeof error;
  const code = replyCode(error);
  if (code === undefined) {
    return { kind: error instanceof Overdue ? "overdue" : "unreachable", reason };
  }
  const hint = HINTS[code];
  return { kind: code, reason, ...hint === undefined ? {} : { hint } };
}
