/** Whether a client comes through while many others send wrong passwords. */

import { Server, UNLIMITED } from "../blackbox/harness.ts";
import { settled } from "../blackbox/keys.ts";
import { type Attempt, attemptLogin, times } from "./attempts.ts";
import { Helper } from "./helper.ts";
import type { Row } from "./row.ts";

const ADDRESSES = 40;

/** In milliseconds. */
const FLOOD = 8000;

/**
 * Milliseconds until a client that has logged in before is answered, and the share of its logins
 * that are admitted, while 40 addresses send wrong passwords without a pause and nobody is limited.
 * The fair share of the passwords that can be checked is the same for every address.
 */
export async function measureFlood(): Promise<Row[]> {
  const env = { ...UNLIMITED, AUTH_CACHE_TTL: "0s" }; // what is remembered waits for nobody
  await using server = await Server.start({ isFullCost: true, env });
  await settled(server);
  using client = server.from("127.0.2.1");
  const user = await client.register();
  await client.token(user);

  await using flood = new Helper("flooding_clients.ts", [server.url, String(ADDRESSES)]);
  await flood.line();
  const before = checkedPasswords(server);
  const attempts: Attempt[] = [];
  for (const end = performance.now() + FLOOD; performance.now() < end;) {
    attempts.push(await attemptLogin(client, user));
  }
  const checked = checkedPasswords(server) - before;
  const [admitted, refused] = [times(attempts, true), times(attempts, false)];
  if (checked === admitted.length) throw new Error("There was no flood");
  const what = "Logins under a flood from 40 addresses";
  return [
    { what: `${what}, admitted`, unit: "%", measured: 100 * admitted.length / attempts.length },
    {
      what: `${what}, admitted, against a fair share`,
      unit: "logins",
      measured: admitted.length,
      baseline: checked / (ADDRESSES + 1),
    },
    slowest(`${what}, slowest admitted`, admitted),
    slowest(`${what}, slowest refused`, refused),
  ];
}

function slowest(what: string, values: readonly number[]): Row {
  return { what, unit: "ms", measured: Math.max(0, ...values), goal: ["below", 2000] };
}

/** How many passwords were checked so far: each has left a row. */
function checkedPasswords(server: Server): number {
  return server.query<{ count: number }>("SELECT count(*) AS count FROM auth_logs")[0]!.count;
}
