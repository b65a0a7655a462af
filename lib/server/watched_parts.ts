/** The metrics that are read from the parts of the server, from numbers that they keep anyway. */

import type { FairQueue } from "../accounts/fair_queue.ts";
import { type Clock, numericDate } from "../base/clock.ts";
import type { FindHindrance } from "../http/health.ts";
import type { KeyRing } from "../keys/key_ring.ts";
import type { Sharing } from "../limits/valkey/sharing.ts";
import { nextKey } from "../rotation/operations.ts";
import { activeKey, publishedKeys } from "../rotation/policy.ts";
import type { ConnectionCounts, Storage } from "../storage/storage.ts";
import type { Instruments } from "./instruments.ts";
import type { Maintenance } from "./maintenance.ts";

/** The parts whose numbers are read. */
export interface WatchedParts {
  ring: Pick<KeyRing, "keys" | "policy" | "emergencies">;
  queue: Pick<FairQueue, "size" | "refusals">;
  storage: Pick<Storage, "failures" | "connections">;
  maintenance: Pick<Maintenance, "purgedRows" | "keysAge">;
  /** What remembers logins, if anything does. */
  loginCache?: { readonly hits: number } | undefined;
  /** What tells whether limits are shared, where they are to be. */
  sharing?: Pick<Sharing, "isInForce" | "fallbacks"> | undefined;
  findHindrance: FindHindrance;
  clock: Clock;
}

/** Makes the metrics whose values are read from these parts, whenever somebody asks. */
export function readParts(instruments: Instruments, parts: WatchedParts): void {
  const { queue, storage, maintenance, loginCache, sharing, findHindrance } = parts;
  const count = (name: string, help: string, read: () => number) =>
    instruments.readCounter(name, help, () => [[{}, read()]]);
  const gauge = instruments.readGauge.bind(instruments);

  readKeys(instruments, parts);
  if (storage.connections !== undefined) readConnections(instruments, storage.connections);
  gauge("jwks_password_hash_queue", "Passwords that wait to be hashed.", () => queue.size);
  count(
    "jwks_password_hash_refused_total",
    "Passwords that were not hashed because too many waited.",
    () => queue.refusals,
  );
  if (loginCache !== undefined) {
    count(
      "jwks_login_cache_hits_total",
      "Logins that were remembered, and cost no hash.",
      () => loginCache.hits,
    );
  }
  if (sharing !== undefined) {
    gauge(
      "jwks_limiter_shared",
      "Whether the rate limit is decided for all servers together.",
      () => sharing.isInForce ? 1 : 0,
    );
    count(
      "jwks_limiter_fallback_total",
      "Decisions of the rate limit that should have been shared and were not.",
      () => sharing.fallbacks,
    );
  }
  instruments.readCounter(
    "jwks_storage_errors_total",
    "What the database could not do, by the reason.",
    () => Object.entries(storage.failures).map(([kind, value]) => [{ kind }, value]),
  );
  count(
    "jwks_log_rows_purged_total",
    "Old rows of the authentication log that were deleted.",
    () => maintenance.purgedRows,
  );
  gauge(
    "jwks_ready",
    "Whether a key can sign and the database takes a write.",
    async () => await findHindrance() === undefined ? 1 : 0,
  );
}

function readConnections(instruments: Instruments, connections: ConnectionCounts): void {
  const gauge = instruments.readGauge.bind(instruments);
  gauge(
    "jwks_database_connections",
    "Connections to the database.",
    () => connections.size,
  );
  gauge(
    "jwks_database_connections_idle",
    "Connections to the database that nobody uses.",
    () => connections.idle,
  );
  gauge(
    "jwks_database_calls_waiting",
    "Calls that wait for a connection to the database.",
    () => connections.waiting,
  );
}

function readKeys(instruments: Instruments, { ring, maintenance, clock }: WatchedParts): void {
  const gauge = instruments.readGauge.bind(instruments);
  const now = () => numericDate(clock());
  gauge(
    "jwks_active_key_age_seconds",
    "For how long the active key has signed; no value when no key signs.",
    () => since(activeKey(ring.keys, now())?.signFrom, now()),
  );
  gauge(
    "jwks_next_rotation_seconds",
    "Time until the next key signs; no value when there is no next key.",
    () => {
      const age = since(nextKey(ring.keys, now())?.signFrom, now());
      return age === undefined ? undefined : -age;
    },
  );
  gauge(
    "jwks_key_rotation_seconds",
    "For how long a key signs, by the policy in force.",
    () => ring.policy.rotation,
  );
  gauge(
    "jwks_published_keys",
    "Keys in the JWK set.",
    () => publishedKeys(ring.keys, now()).length,
  );
  gauge(
    "jwks_keys_age_seconds",
    "Time since the keys were last compared with the database.",
    () => maintenance.keysAge,
  );
  instruments.readCounter(
    "jwks_unplanned_rotations_total",
    "Times that a key had to sign which no verifier could know.",
    () => [[{}, ring.emergencies]],
  );
}

function since(moment: number | undefined, now: number): number | undefined {
  return moment === undefined ? undefined : now - moment;
}
