/** What the tests of the pool ask of it, and of the server behind it. */

import assert from "node:assert/strict";
import { isDomainError, type StorageFault } from "../../../lib/base/errors.ts";
import { parsePostgresUrl, type PostgresLocation } from "../../../lib/storage/postgres/location.ts";
import { type PostgresOptions, PostgresPool } from "../../../lib/storage/postgres/pool.ts";
import { eventually } from "../../blackbox/harness.ts";
import { type PostgresServer, ROLE_PASSWORD } from "../../servers/postgres.ts";
import { failureOf } from "../../support.ts";

/** Long enough for a slow machine where the server answers, in milliseconds. */
export const PATIENCE = 5000;

/** Short, for a server that does not. */
export const IMPATIENCE = 400;

/** Runs `use` with a pool, and closes that. */
export async function withPool<Result>(
  location: PostgresLocation | string,
  options: PostgresOptions,
  use: (pool: PostgresPool) => Promise<Result>,
): Promise<Result> {
  const place = typeof location === "string" ? parsePostgresUrl(location)! : location;
  const pool = new PostgresPool(place, { timeout: PATIENCE, ...options });
  return await use(pool).finally(() => pool.close());
}

/** Asserts that the storage is unavailable for that reason; whatever is thrown tells no password. */
export async function assertFault(
  fault: StorageFault,
  work: () => Promise<unknown>,
): Promise<void> {
  const error = await failureOf(work, fault);
  assertTellsNothing(error);
  assert.ok(isDomainError(error, "storage_unavailable"), Deno.inspect(error));
  assert.equal(error.data.fault, fault);
}

export function assertTellsNothing(error: unknown): void {
  const told = Deno.inspect(error, { depth: 20, showHidden: true });
  for (const password of [ROLE_PASSWORD, encodeURIComponent(ROLE_PASSWORD)]) {
    assert.ok(!told.includes(password), told);
  }
}

/** Waits until so many statements wait for a lock. */
export async function untilWaiting(server: PostgresServer, count: number): Promise<void> {
  const sql = "SELECT count(*) FROM pg_locks WHERE NOT granted";
  await eventually(`${count} wait for a lock`, async () => {
    return Number(await server.psql(sql)) === count ? true : undefined;
  });
}

/** Ends the connections that wait for a lock. */
export async function terminateWaiting(server: PostgresServer): Promise<void> {
  await server.psql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted");
}

/** Fills a pool with idle connections, as soon as there is a server. */
export async function fill(pool: PostgresPool, count: number): Promise<void> {
  await eventually(`${count} connections`, async () => {
    await Promise.allSettled(Array.from({ length: count }, () => pool.read("SELECT 1")));
    return pool.idle === count ? true : undefined;
  });
}

/** Makes the table `numbers` anew, empty. */
export async function clear(pool: PostgresPool): Promise<void> {
  await pool.write("DROP TABLE IF EXISTS numbers");
  await pool.write("CREATE TABLE numbers (n bigint)");
}
