/** A client that sends more at once than it may, spread over several replicas. */

import assert from "node:assert/strict";
import type { Server } from "../blackbox/harness.ts";
import type { Environment } from "../blackbox/process.ts";

/** The limit under which bursts are counted: no burst lasts as long as its window. */
export const LIMITED: Environment = { RATE_LIMIT: "10", RATE_WINDOW: "60s" };

/** An address of 127.0.0.0/8 for each burst: none is limited for what another has sent. */
let bursts = 0;

/** How many of so many requests of one new client are admitted. */
export async function admittedOf(servers: readonly Server[], requests: number): Promise<number> {
  const statuses = await burst(servers, requests);
  for (const status of statuses) assert.ok(status === 401 || status === 429, `${status}`);
  return statuses.filter((status) => status === 401).length;
}

/**
 * The statuses of so many requests of one new client, sent at the same moment to the servers in
 * turn. Each is by a stranger of another name: a name has a limit of its own.
 */
export async function burst(servers: readonly Server[], requests: number): Promise<number[]> {
  const number = bursts++;
  const address = `127.1.${number >> 8}.${number & 255}`;
  const clients = servers.map((server) => server.from(address));
  try {
    return await Promise.all(
      Array.from({ length: requests }, async (_, place) => {
        const stranger = { username: `user-${crypto.randomUUID()}`, password: "nothing" };
        return (await clients[place % clients.length]!.login(stranger)).status;
      }),
    );
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
}
