/** How soon the server is rid of a body that it has refused. */

import { Server, UNLIMITED } from "../blackbox/harness.ts";
import type { Row } from "./row.ts";
import { PIECE, Upload } from "./upload.ts";

const ROUNDS = 5;
const MIB = 2 ** 20;

/** What the client sends at the most, in bytes. */
const MOST = 100 * MIB;

/** For how long the end of the connection is waited for, in milliseconds. */
const PATIENCE = 10_000;

/** After how many milliseconds without progress the system takes no more. */
const STALL = 500;

const HEAD = "POST /auth HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

/** How a client says how long a body is, and a piece of such a body. */
const BODIES = {
  "chunked": {
    header: "Transfer-Encoding: chunked",
    piece: `${PIECE.toString(16)}\r\n${"x".repeat(PIECE)}\r\n`,
  },
  "with its length": { header: `Content-Length: ${MOST}`, piece: "x".repeat(PIECE) },
} as const;

type Body = (typeof BODIES)[keyof typeof BODIES];

/** What a client could do after the answer 413. */
interface Refusal {
  /** Bytes that it could still send. */
  sent: number;
  /** Milliseconds until it learned that the connection is closed. */
  elapsed: number;
}

/**
 * MiB that a client can still send of a body of 100 MiB after the answer 413, and milliseconds until
 * the connection is closed; the most of several attempts. The system takes some MiB for a peer that
 * reads nothing: those are the baseline, and what goes beyond them is what the server has taken.
 */
export async function measureRefusal(): Promise<Row[]> {
  await using server = await Server.start({ env: UNLIMITED });
  const baseline = await sentUnread() / MIB;
  const rows: Row[] = [];
  for (const [kind, body] of Object.entries(BODIES)) {
    const refusals: Refusal[] = [];
    for (let round = 0; round < ROUNDS; round++) refusals.push(await refuse(server.url, body));
    const measured = Math.max(...refusals.map(({ sent }) => sent)) / MIB;
    const elapsed = Math.max(...refusals.map(({ elapsed }) => elapsed));
    const what = `Body ${kind} after 413`;
    rows.push(
      { what: `${what}, sent, against to nobody who reads`, unit: "MiB", measured, baseline },
      {
        what: `${what}, taken by the server`,
        unit: "MiB",
        measured: Math.max(0, measured - baseline),
        goal: ["below", 1],
      },
      {
        what: `${what}, until it is closed`,
        unit: "ms",
        measured: elapsed,
        goal: ["below", 1000],
      },
    );
  }
  return rows;
}

/** The body goes on as soon as the answer is there, and not before: no buffer is full by then. */
async function refuse(url: string, { header, piece }: Body): Promise<Refusal> {
  using upload = await Upload.to(url);
  await upload.send(`${HEAD}${header}\r\n\r\n${piece}`);
  const answer = await upload.receive();
  if (!answer?.startsWith("HTTP/1.1 413 ")) throw new Error(`The answer is not 413: ${answer}`);
  const { sent } = upload;
  const start = performance.now();
  const ended = upload.repeat(piece, MOST);
  const timer = setTimeout(() => upload[Symbol.dispose](), PATIENCE);
  while (await upload.receive() !== undefined);
  const elapsed = performance.now() - start;
  clearTimeout(timer);
  upload[Symbol.dispose]();
  await ended;
  return { sent: upload.sent - sent, elapsed };
}

/** Bytes that the system takes for a peer that reads nothing. */
async function sentUnread(): Promise<number> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using upload = await Upload.to(`http://127.0.0.1:${listener.addr.port}`);
  using _peer = await listener.accept();
  const ended = upload.repeat("x".repeat(PIECE), MOST);
  for (let before = -1; before < upload.sent;) {
    before = upload.sent;
    await new Promise((resolve) => setTimeout(resolve, STALL));
  }
  const { sent } = upload;
  upload[Symbol.dispose]();
  await ended;
  return sent;
}
