/** Metrics over parts whose numbers the test chooses. */

import { Metrics } from "../../lib/server/metrics.ts";
import type { WatchedParts } from "../../lib/server/watched_parts.ts";
import { noFailures } from "../../lib/storage/failure_counts.ts";
import { FakeClock, ISSUER } from "../support.ts";

/** A storage without failures. */
export const FAILURES = noFailures();

/** The metrics, the samples by their names with labels, and the names alone. */
export function makeMetrics(parts: Partial<WatchedParts> = {}) {
  const metrics = new Metrics(ISSUER);
  metrics.watch({
    ring: { keys: [], policy: { alg: "RS256", rotation: 60 }, emergencies: 0 } as never,
    queue: { size: 0, refusals: 0 },
    storage: { failures: FAILURES, connections: { size: 0, idle: 0, waiting: 0 } },
    maintenance: { purgedRows: 0, keysAge: 0 },
    loginCache: { hits: 0 },
    sharing: { isInForce: true, fallbacks: 0 },
    findHindrance: () => Promise.resolve(undefined),
    clock: new FakeClock().clock,
    ...parts,
  });
  const read = async () => {
    const lines = (await metrics.render()).split("\n").filter((line) => /^[a-z]/.test(line));
    return new Map(lines.map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }));
  };
  const names = async () =>
    new Set([...(await metrics.render()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!));
  return { metrics, read, names };
}
