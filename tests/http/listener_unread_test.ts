import assert from "node:assert/strict";
import { makeApp } from "../support.ts";
import { HOSTNAME, withServer } from "./running_server.ts";

const MEGABYTE = 1024 * 1024;
/** What a client wants to send; as long as nobody stops it, it does. */
const WANTED = 300 * MEGABYTE;

const encoder = new TextEncoder();

/** What became of a request whose body does not end by itself. */
interface Flood {
  answer: string;
  /** Bytes of the body that the system took. */
  accepted: number;
  /** When the connection was over, in milliseconds after the beginning. */
  duration: number;
}

/** When a client gives up that nobody has stopped, in milliseconds. */
const PATIENCE = 1500;

/** Sends a request and then its body, whatever is answered, until the connection is cut. */
async function flood(port: number, head: readonly string[]): Promise<Flood> {
  const start = performance.now();
  const connection = await Deno.connect({ hostname: HOSTNAME, port });
  const givingUp = setTimeout(() => connection.close(), PATIENCE);
  const isChunked = head.some((line) => /chunked/.test(line));
  const piece = encoder.encode(
    isChunked ? `ffff\r\n${"x".repeat(65_535)}\r\n` : "x".repeat(65_536),
  );
  const answer = readUntilCut(connection);
  let accepted = 0;
  try {
    await connection.write(encoder.encode(`${head.join("\r\n")}\r\n\r\n`));
    for (let place = 0; accepted < WANTED; place %= piece.length) {
      const written = await connection.write(piece.subarray(place));
      accepted += written;
      place += written;
    }
  } catch {
    // cut, as it should be
  }
  const duration = performance.now() - start;
  const text = await answer;
  clearTimeout(givingUp);
  return { answer: text, accepted, duration };
}

/** What arrives until the connection ends, however it does. */
async function readUntilCut(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(4096);
  let text = "";
  try {
    for (let read; (read = await connection.read(buffer)) !== null;) {
      text += new TextDecoder().decode(buffer.subarray(0, read));
    }
    connection.close();
  } catch {
    // a reset, or given up: what was there has been read by then
  }
  return text;
}

Deno.test("Server answers a request that it refuses, and reads no body of it to the end", async () => {
  const { app } = await makeApp({ policy: { alg: "ES256" } });
  await withServer((request, info) => app.fetch(request, info), async ({ port }) => {
    const length = `Content-Length: ${WANTED}`;
    const json = "Content-Type: application/json";
    const chunked = "Transfer-Encoding: chunked";
    const refused: [number, string[]][] = [
      [413, ["POST /auth HTTP/1.1", "Host: localhost", json, length]],
      [404, ["POST /nothing HTTP/1.1", "Host: localhost", length]],
      [405, ["PUT /auth HTTP/1.1", "Host: localhost", length]],
      [415, ["POST /register HTTP/1.1", "Host: localhost", "Content-Type: text/plain", length]],
      [400, ["POST /auth HTTP/1.1", "Host: a@b", length]],
      [404, ["POST /nothing HTTP/1.1", "Host: localhost", chunked]],
    ];
    const floods = await Promise.all(refused.map(([, head]) => flood(port, head)));
    for (const [place, { answer, accepted, duration }] of floods.entries()) {
      const [status, head] = refused[place]!;
      assert.ok(answer.startsWith(`HTTP/1.1 ${status} `), `${head[0]}: ${answer.slice(0, 30)}`);
      assert.ok(accepted < 64 * MEGABYTE, `${head[0]}: ${accepted} bytes`);
      assert.ok(duration < 1000, `${head[0]}: ${duration} ms`);
    }
  });
});
