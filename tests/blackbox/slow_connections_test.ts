/** Clients that hold connections and take their time, while others are served. */

import assert from "node:assert/strict";
import { connect, send } from "./client.ts";
import { Server, UNLIMITED } from "./harness.ts";
import { memory, MIB } from "./memory.ts";

const CONNECTIONS = 200;

/** How long those take who are not slow, in milliseconds, at the most; the median of so many. */
const QUICKLY = 1000;
const ROUNDS = 7;

const LOGIN = "POST /auth HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
const JWKS = "GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** What each kind of slow client has sent when it begins to be slow, and what it sends then. */
const KINDS: Record<string, [start: string, piece: string]> = {
  "that send nothing": ["", ""],
  "whose headers trickle": ["GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ", "a"],
  "whose body trickles": [`${LOGIN}Content-Length: 1000\r\n\r\n{`, " "],
  "that never read what they asked for": [JWKS.repeat(500), ""],
};

for (const [kind, [start, piece]] of Object.entries(KINDS)) {
  Deno.test(`two hundred connections ${kind} keep nobody else waiting`, async () => {
    await using server = await Server.start({ env: UNLIMITED });
    const user = await server.register();
    const open = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(server.url)));
    const sent = Promise.all(open.map((connection) => send(connection, start)));
    try {
      const durations: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        if (piece !== "") {
          await sent;
          await Promise.all(open.map((connection) => send(connection, piece)));
        }
        const begin = performance.now();
        assert.equal((await server.jwks()).status, 200);
        await server.token(user);
        durations.push(performance.now() - begin);
      }
      const median = durations.toSorted((a, b) => a - b)[ROUNDS >> 1]!;
      assert.ok(median < QUICKLY, `${median} ms`);
      const used = await memory(server.pid, "VmHWM");
      assert.ok(used < 400 * MIB, `${used} KiB`);
    } finally {
      for (const connection of open) connection.close();
      await sent.catch(() => {}); // closed while it was sending
    }
    assert.equal((await server.jwks()).status, 200);
    assert.ok(!/"level":"error"/.test(server.stderr), server.stderr);
  });
}
