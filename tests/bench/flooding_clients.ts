/**
 * Clients that send wrong passwords to the URL of the first argument without a pause, each from an
 * address of its own: as many as the second argument says. Says so once each has had an answer.
 */

import { Client } from "../blackbox/client.ts";

const [url, count] = Deno.args as [string, string];
const clients = Array.from(
  { length: Number(count) },
  (_, place) => new Client(url, `127.0.1.${place + 1}`),
);
const attempt = (client: Client) => client.login({ username: "nobody", password: "wrong" });

await Promise.all(clients.map(attempt));
await Deno.stdout.write(new TextEncoder().encode("flooding\n"));
await Promise.all(clients.map(async (client) => {
  for (;;) await attempt(client);
}));
