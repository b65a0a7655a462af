/** A server on a free port, and clients that say what the test wants, byte for byte. */

import type { Handler } from "../../lib/http/gate.ts";
import { Server } from "../../lib/http/listener.ts";
import { recordingLog } from "../support.ts";

export const HOSTNAME = "127.0.0.1";

export interface Running {
  server: Server;
  port: number;
  url: string;
  lines: string[];
}

/** Runs `body` with a server; without a `handler` it is one that has not begun. */
export async function withServer(
  handler: Handler | undefined,
  body: (running: Running) => Promise<void>,
): Promise<void> {
  const { log, lines } = recordingLog();
  const server = new Server({ hostname: HOSTNAME, port: 0, log });
  if (handler !== undefined) server.begin(handler);
  const { port } = server;
  try {
    await body({ server, port, url: `http://${HOSTNAME}:${port}/`, lines });
  } finally {
    await server.stop(5000);
  }
}

/** The answer to a request that is sent as it is written here, and then ends the connection. */
export async function sendRaw(port: number, lines: readonly string[]): Promise<string> {
  using connection = await Deno.connect({ hostname: HOSTNAME, port });
  await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
  return await new Response(connection.readable).text();
}
