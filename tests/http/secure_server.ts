/** A server that speaks HTTPS on a free port, and clients that say what the test wants. */

import type { Handler } from "../../lib/http/gate.ts";
import { Server } from "../../lib/http/listener.ts";
import { makeCertificate, type Pair } from "../certificates.ts";
import { recordingLog } from "../support.ts";
import { HOSTNAME } from "./running_server.ts";

export interface SecureRunning {
  server: Server;
  port: number;
  certificate: Pair;
  lines: string[];
}

/** Runs `body` with a server that has a certificate. */
export async function withSecureServer(
  handler: Handler,
  body: (running: SecureRunning) => Promise<void>,
  hostname = HOSTNAME,
): Promise<void> {
  const { log, lines } = recordingLog();
  const certificate = await makeCertificate();
  const server = new Server({ hostname, port: 0, certificate, log });
  server.begin(handler);
  try {
    await body({ server, port: server.port, certificate, lines });
  } finally {
    await server.stop(5000);
  }
}

/** A client that speaks one version of HTTP and trusts one certificate. */
export function clientOf(
  { cert }: Pair,
  version: 1 | 2,
  localAddress = HOSTNAME,
): Deno.HttpClient {
  const versions = { http1: version === 1, http2: version === 2 };
  return Deno.createHttpClient({ caCerts: [cert], localAddress, ...versions });
}

/** A connection for HTTP/1.1. */
export async function connectSecurely(port: number, { cert }: Pair): Promise<Deno.TlsConn> {
  const connection = await Deno.connectTls({
    hostname: HOSTNAME,
    port,
    caCerts: [cert],
    alpnProtocols: ["http/1.1"],
  });
  await connection.handshake();
  return connection;
}

/** The answer to a request that is sent as it is written here, and then ends the connection. */
export async function sendSecurely(
  port: number,
  certificate: Pair,
  lines: readonly string[],
): Promise<string> {
  using connection = await connectSecurely(port, certificate);
  await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
  return await new Response(connection.readable).text();
}
