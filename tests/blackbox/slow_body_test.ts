/** Bodies that arrive byte by byte. */

import assert from "node:assert/strict";
import { connect, parseResponse, receive, send } from "./client.ts";
import { Server, UNLIMITED } from "./harness.ts";
import { memory, MIB } from "./memory.ts";

const CONNECTIONS = 100;
const BYTES = 600;

/** Sends so many logins at once, one byte of each at a time, and gives their statuses. */
async function drip(server: Server, connections: number, bytes: number): Promise<number[]> {
  const body = JSON.stringify({ username: "x", password: "y".repeat(bytes - 31) });
  const head = "POST /auth HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
    `Content-Length: ${body.length}\r\n\r\n`;
  const open = await Promise.all(Array.from({ length: connections }, () => connect(server.url)));
  try {
    for (const connection of open) {
      connection.setNoDelay();
      await send(connection, head);
    }
    for (const byte of body) await Promise.all(open.map((connection) => send(connection, byte)));
    const answers = await Promise.all(open.map(receive));
    return answers.map((answer) => parseResponse(answer).status);
  } finally {
    for (const connection of open) connection.close();
  }
}

Deno.test("a hundred bodies that arrive byte by byte cost less than 20 MiB", async () => {
  await using server = await Server.start({ env: UNLIMITED });
  await drip(server, CONNECTIONS, 40); // what every connection costs, and the decoy hash
  const before = await memory(server.pid, "VmHWM");
  const statuses = await drip(server, CONNECTIONS, BYTES);
  assert.deepEqual(new Set(statuses), new Set([401]));
  const grown = await memory(server.pid, "VmHWM") - before;
  assert.ok(grown < 20 * MIB, `${grown} KiB more for ${CONNECTIONS * BYTES} bytes`);
});
