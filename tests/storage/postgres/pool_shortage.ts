/** A server that takes fewer connections than the pool wants. */

import assert from "node:assert/strict";
import { createPool } from "../../../lib/server/postgres_engine.ts";
import { isDomainError } from "../../../lib/base/errors.ts";
import { sqlState } from "../../../lib/storage/postgres/faults.ts";
import { parsePostgresUrl, type PostgresLocation } from "../../../lib/storage/postgres/location.ts";
import type { PostgresPool } from "../../../lib/storage/postgres/pool.ts";
import { eventually } from "../../blackbox/harness.ts";
import { PgBouncer } from "../../servers/pgbouncer.ts";
import { type PostgresServer, ROLE_PASSWORD } from "../../servers/postgres.ts";
import { failureOf, recordingLog } from "../../support.ts";
import { begin, type Open } from "./interleaving.ts";
import { assertTellsNothing, withPool } from "./pools.ts";

/** How many connections there may be. */
const FEW = 3;

/** Each of so many calls holds its connection for a moment. */
const CALLS = 30;
const CALL = "SELECT pg_sleep(0.01)";

/** More than the pool makes at most. */
const burst = (pool: PostgresPool) =>
  Promise.all(Array.from({ length: CALLS }, () => pool.read(CALL)));

export function testShortage(server: PostgresServer, url: string): void {
  /** The database, for a role that may have `FEW` connections to it. */
  const makeRole = async (name: string): Promise<PostgresLocation> => {
    await server.psql(
      `CREATE ROLE ${name} LOGIN PASSWORD '${ROLE_PASSWORD}' CONNECTION LIMIT ${FEW}`,
    );
    return { ...parsePostgresUrl(url)!, user: name };
  };

  Deno.test("calls wait for the connections that the server takes, and the lack is told once", async () => {
    const location = await makeRole("few");
    const told: [number, unknown][] = [];
    const onShortage = (count: number, error: unknown) => told.push([count, error]);
    let time = 0;
    await withPool(location, { onShortage, now: () => time }, async (pool) => {
      const held: Open[] = [];
      while (held.length < FEW) held.push(await begin(pool, () => Promise.resolve()));
      const calls = burst(pool);
      await eventually("the lack is told", () => told.length > 0 || undefined);
      await Promise.all(held.map((one) => one.commit()));
      await calls;
      time += 5000; // when it tries again
      await burst(pool);
      assert.deepEqual(told.map(([count]) => count), [FEW]);
      assertTellsNothing(told);
    });
  });

  Deno.test("createPool() logs how many connections the server takes, and in its words why", async () => {
    const { log, lines } = recordingLog();
    const pool = await createPool({ server: await makeRole("few_logged"), caFile: undefined }, log);
    await burst(pool).finally(() => pool.close());
    const [{ level, message, connections, wanted, reason }, ...others] = lines.map((line) =>
      JSON.parse(line)
    );
    assert.deepEqual(others, []);
    assert.deepEqual([level, wanted], ["warn", 10]);
    assert.ok(connections >= 1 && connections <= FEW);
    assert.match(message, /takes no more connections/);
    assert.match(reason, /^too many connections for role/);
  });

  Deno.test("more connections are made when the server takes them again, after a while", async () => {
    const location = await makeRole("few_at_first");
    let [time, told] = [0, 0];
    const options = { max: 5, onShortage: () => told++, now: () => time };
    await withPool(location, options, async (pool) => {
      await burst(pool);
      await server.psql("ALTER ROLE few_at_first CONNECTION LIMIT -1");
      time += 4999;
      await burst(pool);
      assert.ok(pool.size <= FEW);
      time += 1;
      await burst(pool);
      assert.equal(pool.size, 5);
      await server.psql("ALTER ROLE few_at_first CONNECTION LIMIT 4");
      await server.terminateAll();
      await burst(pool);
      assert.ok(pool.size <= 4);
      assert.equal(told, 2);
    });
  });

  Deno.test("connections that are cut are made anew where the server takes no more", async () => {
    const location = await makeRole("few_and_cut");
    let time = 0;
    await withPool(location, { onError: () => {}, now: () => time }, async (pool) => {
      for (let round = 0; round < 5; round++) {
        time += 5000;
        await burst(pool);
        const calls = burst(pool);
        await server.terminateAll();
        await calls;
      }
    });
  });

  Deno.test("a server that has all connections leaves one to another that has none", async () => {
    const location = await makeRole("few_to_share");
    await withPool(location, {}, (one) =>
      withPool(location, {}, async (other) => {
        await burst(one);
        await burst(other);
        await Promise.all([burst(one), burst(other)]);
      }));
  });

  Deno.test("who can have no connection at all is told so, and has as many as it wants when it can", async () => {
    const location = await makeRole("few_for_others");
    await withPool(location, { max: FEW }, async (others) => {
      await burst(others);
      await withPool(location, {}, async (pool) => {
        const error = await failureOf(() => pool.read(CALL));
        assert.ok(isDomainError(error, "storage_unavailable"));
        assert.equal(sqlState(error), "53300");
        await server.psql("ALTER ROLE few_for_others CONNECTION LIMIT -1");
        await burst(pool); // by the first one, for which the others wait
        await burst(pool);
        assert.equal(pool.size, 10);
      });
    });
  });
}

export function testShortageOfPgBouncer(server: PostgresServer, url: string): void {
  Deno.test("calls wait for the connections that PgBouncer takes", async () => {
    await using bouncer = await PgBouncer.start(server, { clients: FEW });
    await withPool(bouncer.through(url), {}, async (pool) => {
      await burst(pool);
      assert.ok(pool.size <= FEW);
    });
  });
}
