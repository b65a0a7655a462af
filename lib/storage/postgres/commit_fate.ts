/** What became of a transaction whose commit was asked for, and nobody heard of. */

import type { Lease } from "./lease.ts";

export type Fate = "committed" | "aborted";

/** Between two questions, in milliseconds: a process that was told to end is about to. */
const PAUSE = 10;

/**
 * Its own commit is waited for as every other: what it tells of is then as durable as it would have
 * been. A transaction that is committed here may not have reached the server that would take over.
 */
const ASK = "SELECT pg_xact_status($1::xid8) AS fate, " +
  "pg_logical_emit_message(true, 'jwks-server', '')";

/** @returns `undefined` when the server does not know any more, as one that has taken over. */
export async function askFate(
  lease: Pick<Lease, "query" | "wait">,
  number: string,
): Promise<Fate | undefined> {
  for (;;) {
    const { rows } = await lease.query<{ fate: Fate | "in progress" | null }>(ASK, [number]);
    const { fate } = rows[0]!;
    if (fate !== "in progress") return fate ?? undefined;
    await lease.wait(() => new Promise((resolve) => setTimeout(resolve, PAUSE)));
  }
}
