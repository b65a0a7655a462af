/**
 * Sends wrong passwords to the URL of the first argument: as many at a time as the second says, from
 * as many addresses as the third, each sender again about a second after its answer, as a 503 asks for.
 * Says so once each has had an answer; asked by a line, it says how the others were answered, as
 * JSON: `[status, milliseconds]` of each.
 */

import { Client } from "../blackbox/client.ts";

/** In milliseconds. */
const RETRY_AFTER = 1000;

const [url, parallel, addresses] = Deno.args as [string, string, string];
const clients = Array.from(
  { length: Number(addresses) },
  (_, place) => new Client(url, `127.0.1.${place + 1}`),
);
const senders = Array.from(
  { length: Number(parallel) },
  (_, place) => clients[place % clients.length]!,
);
let answers: [status: number, milliseconds: number][] = [];

async function attempt(client: Client): Promise<void> {
  const start = performance.now();
  const { status } = await client.login({ username: "nobody", password: "wrong" });
  answers.push([status, performance.now() - start]);
}

async function say(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(`${text}\n`);
  for (let sent = 0; sent < bytes.length;) sent += await Deno.stdout.write(bytes.subarray(sent));
}

await Promise.all(senders.map(attempt));
answers = [];
for (const client of senders) {
  (async () => {
    for (;;) {
      await attempt(client);
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER * (0.5 + Math.random())));
    }
  })();
}
await say("flooding");
await Deno.stdin.read(new Uint8Array(1));
await say(JSON.stringify(answers));
