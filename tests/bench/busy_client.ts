/**
 * One client that uses the default limits to the full: ten wrong passwords and ten registrations at
 * once, every second, to the URL of the first argument. Says when it has begun.
 */

import { Client } from "../blackbox/client.ts";

const LIMIT = 10;

/** In milliseconds: a little more than the window, for no request to come too early. */
const WINDOW = 1020;

const client = new Client(Deno.args[0]!, "127.0.1.1");

function burst(): void {
  for (let sent = 0; sent < LIMIT; sent++) {
    const username = `busy-${crypto.randomUUID()}`;
    client.login({ username, password: "wrong" });
    client.post("/register", { username, email: `${username}@example.com` });
  }
}

setInterval(burst, WINDOW);
burst();
await Deno.stdout.write(new TextEncoder().encode("busy\n"));
