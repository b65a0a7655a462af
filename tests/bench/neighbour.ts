/** What one client that uses its limits to the full takes from the others. */

import type { Client, Credentials } from "../blackbox/client.ts";
import { Server } from "../blackbox/harness.ts";
import { settled } from "../blackbox/keys.ts";
import { type Attempt, attemptLogin, times } from "./attempts.ts";
import { Helper } from "./helper.ts";
import type { Row } from "./row.ts";
import { median } from "./statistics.ts";

const OTHERS = 5;
const ROUNDS = 3;

/** How long a round of either kind takes, in milliseconds. */
const ROUND = 5000;

/** In how many milliseconds afterwards everything that waited is done. */
const CALM = 2000;

interface User {
  client: Client;
  credentials: Credentials;
}

/**
 * Milliseconds for the logins of others, who come one after the other from addresses of their own,
 * beside one client that makes ten wrong logins and ten registrations a second; and how many of
 * their logins are refused. The limits are the default ones.
 */
export async function measureNeighbour(): Promise<Row[]> {
  await using server = await Server.start({ isFullCost: true, env: { AUTH_CACHE_TTL: "0s" } });
  await settled(server);
  const users = await Promise.all(Array.from({ length: OTHERS }, async (_, place) => {
    const client = server.from(`127.0.2.${place + 1}`);
    return { client, credentials: await client.register() };
  }));
  const [quiet, busy]: [Attempt[], Attempt[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    quiet.push(...await logIn(users));
    busy.push(...await logInBeside(server, users));
  }
  for (const { client } of users) client[Symbol.dispose]();

  const what = "Logins beside one client at its limits";
  return [
    {
      what: `${what}, against without it`,
      unit: "ms",
      measured: median(times(busy, true)),
      baseline: median(times(quiet, true)),
    },
    {
      what: `${what}, refused of ${busy.length}`,
      unit: "logins",
      measured: times(busy, false).length,
      goal: ["at most", 0],
    },
    {
      what: `${what}, slowest answer`,
      unit: "ms",
      measured: Math.max(...busy.map(({ elapsed }) => elapsed)),
      goal: ["below", 2000],
    },
  ];
}

/** The same, beside the busy client; what it has left behind is done in the end. */
async function logInBeside(server: Server, users: readonly User[]): Promise<Attempt[]> {
  const attempts = await besideBusyClient(server, () => logIn(users));
  await new Promise((resolve) => setTimeout(resolve, CALM));
  return attempts;
}

async function besideBusyClient<Result>(
  server: Server,
  work: () => Promise<Result>,
): Promise<Result> {
  await using busy = new Helper("busy_client.ts", [server.url]);
  await busy.line();
  return await work();
}

/** Lets the users log in, one after the other and again and again, for one round. */
async function logIn(users: readonly User[]): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  for (const end = performance.now() + ROUND; performance.now() < end;) {
    const { client, credentials } = users[attempts.length % users.length]!;
    attempts.push(await attemptLogin(client, credentials));
  }
  return attempts;
}
