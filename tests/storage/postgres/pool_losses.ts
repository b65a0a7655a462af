/** Connections that are lost, and servers that are gone for a while. */

import assert from "node:assert/strict";
import type { PostgresOptions, PostgresPool } from "../../../lib/storage/postgres/pool.ts";
import { eventually } from "../../blackbox/harness.ts";
import type { PostgresServer } from "../../servers/postgres.ts";
import { Tunnel } from "../../servers/tunnel.ts";
import {
  assertFault,
  assertTellsNothing,
  clear,
  fill,
  IMPATIENCE,
  terminateWaiting,
  untilWaiting,
  withPool,
} from "./pools.ts";

const INSERT = "INSERT INTO numbers VALUES (1)";

export function testLosses(server: PostgresServer, url: string): void {
  const place = { server, url };

  Deno.test("what a server was ended at is asked again, and a change is made once", () =>
    withNumbers(place, {}, async ({ pool, other, count }) => {
      for (const call of ["read", "write"] as const) {
        const answer = await other.transaction(async (statements) => {
          await statements.query("LOCK TABLE numbers");
          const answer = pool[call](call === "read" ? "SELECT FROM numbers" : INSERT);
          await untilWaiting(server, 1);
          await terminateWaiting(server);
          return [answer] as const;
        });
        await answer[0];
      }
      assert.equal(await count(), 1);
    }));

  Deno.test("a change whose answer was lost is not made again, nor taken for one that was made", () =>
    withNumbers(place, {}, async ({ pool, tunnel, count }) => {
      tunnel.loseAnswerTo(INSERT);
      await assertFault("unreachable", () => pool.write(INSERT));
      assert.equal(await count(), 1);
      tunnel.loseAnswerTo("SELECT 7");
      assert.equal((await pool.read("SELECT 7")).count, 1);
    }));

  Deno.test("a transaction is begun again until it is being committed, and then asked after", () =>
    withNumbers(place, {}, async ({ pool, tunnel, count }) => {
      let bodies = 0;
      const insert = () =>
        pool.transaction(async (statements) => {
          bodies++;
          await statements.query(INSERT);
        });
      tunnel.loseAnswerTo(INSERT);
      await insert();
      assert.deepEqual([bodies, await count()], [2, 1]);
      tunnel.loseAnswerTo("COMMIT\0");
      await insert();
      assert.deepEqual([bodies, await count()], [3, 2]);
    }));

  Deno.test("one lost connection is a reason to trust none of those from before", () =>
    withNumbers(place, { max: 5 }, async ({ pool, tunnel }) => {
      await fill(pool, 5);
      tunnel.hangUp();
      assert.equal((await pool.read("SELECT 1")).count, 1);
      await fill(pool, 5);
      tunnel.hangUp();
      await assertFault("unreachable", () => pool.write("SELECT 1"));
      await pool.write("SELECT 1");
    }));

  Deno.test("a network that swallows everything costs each connection's call, and none after it", () =>
    withNumbers(place, { max: 5, timeout: 2 * IMPATIENCE }, async ({ pool, tunnel }) => {
      await fill(pool, 5);
      tunnel.silence();
      await assertFault("unreachable", () => pool.read("SELECT 1"));
      await pool.write("SELECT 1");
    }));

  Deno.test("connections that end while nobody uses them are told, and cost no call", async () => {
    const told: unknown[] = [];
    await withNumbers(place, { onError: (error) => told.push(error) }, async ({ pool, count }) => {
      await fill(pool, 3);
      await server.terminateAll();
      await eventually("the pool knows", () => pool.size === 0 || undefined);
      await pool.write(INSERT);
      assert.equal(await count(), 1);
      assert.equal(told.length, 3);
      for (const error of told) assertTellsNothing(error);
    });
  });

  Deno.test("a frozen server costs no call more than its time, and is used again when it thaws", () =>
    withNumbers(place, { timeout: IMPATIENCE, max: 2 }, async ({ pool }) => {
      await fill(pool, 1);
      await server.freeze();
      try {
        // Some have a connection, some make one, some wait for one.
        await Promise.all([
          assertFault("unreachable", () => pool.read("SELECT 1")),
          assertFault("unreachable", () => pool.write("SELECT 1")),
          assertFault("unreachable", () => pool.transaction((one) => one.query("SELECT 1"))),
          assertFault("unreachable", () => pool.snapshot((one) => one.query("SELECT 1"))),
        ]);
      } finally {
        await server.thaw();
      }
      await fill(pool, 2);
    }));

  Deno.test("close() waits for no frozen server, and leaves no connection to it", () =>
    withPool(url, {}, async (pool) => {
      await fill(pool, 3);
      assert.equal(await openConnections(server.port), 3);
      await server.freeze();
      try {
        await pool.close();
        assert.equal(await openConnections(server.port), 0);
      } finally {
        await server.thaw();
      }
    }));

  Deno.test("who waits for a connection has it when another's call is given up", () =>
    withNumbers(place, { max: 1 }, async ({ pool, tunnel }) => {
      const first = assertFault("unreachable", () =>
        pool.transaction(async (statements) => {
          await statements.query("SET LOCAL idle_in_transaction_session_timeout = 0");
          tunnel.silence();
          await new Promise(() => {});
        }, { timeout: IMPATIENCE }));
      await Promise.all([first, pool.read("SELECT 1")]);
    }));

  Deno.test("a server that was stopped is used again when it is back", () =>
    withNumbers(place, { onError: () => {} }, async ({ pool, count }) => {
      await pool.write(INSERT);
      await server.stop();
      await assertFault("unreachable", () => pool.read("SELECT 1"));
      await assertFault("unreachable", () => pool.transaction((one) => one.query(INSERT)));
      await server.start();
      assert.equal(await count(), 1);
    }));
}

/** How many connections to a port programs of this machine hold (proc(5), /proc/net/tcp). */
async function openConnections(port: number): Promise<number> {
  const lines = (await Deno.readTextFile("/proc/net/tcp")).trim().split("\n").slice(1);
  return lines.map((line) => line.trim().split(/\s+/)).filter((fields) => {
    const [remote, inode] = [fields[2]!, fields[9]!];
    return Number.parseInt(remote.split(":")[1]!, 16) === port && inode !== "0";
  }).length;
}

interface Numbers {
  /** What is tested, at the end of the tunnel. */
  pool: PostgresPool;
  tunnel: Tunnel;
  /** What is not. */
  other: PostgresPool;
  /** How many rows the table `numbers` has. */
  count(): Promise<number>;
}

/** Two pools, and an empty table. */
async function withNumbers(
  { server, url }: { server: PostgresServer; url: string },
  options: PostgresOptions,
  use: (numbers: Numbers) => Promise<void>,
): Promise<void> {
  await using tunnel = new Tunnel(server.port);
  await withPool(url, {}, async (other) => {
    await clear(other);
    const count = async () => (await other.read("SELECT FROM numbers")).count;
    await withPool(tunnel.through(url), options, (pool) => use({ pool, tunnel, other, count }));
  });
}
