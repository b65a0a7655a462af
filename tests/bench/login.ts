/** How many logins a server answers. */

import { Server, UNLIMITED } from "../blackbox/harness.ts";
import { settled } from "../blackbox/keys.ts";
import { Helper } from "./helper.ts";
import { jsonLoad, requestsPerSecond } from "./load.ts";
import type { Row } from "./row.ts";
import { inTurns, median, type Take } from "./statistics.ts";

const ROUNDS = 5;
const SECONDS = 3;

/** Long enough that those do not count which are under way at the end. */
const UNCACHED_SECONDS = 8;

/** Logins at once that each need Argon2: one runs on each core, and another waits for it. */
const UNCACHED_CONNECTIONS = 2 * navigator.hardwareConcurrency;

/** Logins a second, remembered or not, against the costly part of each alone. */
export async function measureLogin(): Promise<Row[]> {
  return [await uncached(), await cached(), await cheapest()];
}

async function uncached(): Promise<Row> {
  await using server = await startServer({ AUTH_CACHE_TTL: "0s" });
  const { username, password } = await server.register();
  const [row] = server.query<{ hash: string }>("SELECT password_hash AS hash FROM users");
  await using bare = new Helper("bare_rate.ts", ["verify", row!.hash, password]);
  const load = {
    ...jsonLoad(`${server.url}/auth`, { username, password }),
    connections: UNCACHED_CONNECTIONS,
  };
  return await against(
    { what: "Logins that no cache answers, against bare verifies of Argon2id", least: 0.9 },
    () => requestsPerSecond(load, UNCACHED_SECONDS),
    async () => Number(await bare.ask()),
  );
}

async function cached(): Promise<Row> {
  await using server = await startServer();
  await using bare = new Helper("bare_rate.ts", ["sign", "RS256"]);
  const load = await loginLoad(server);
  return await against(
    { what: "Remembered logins, RS256, against bare signatures", least: 0.75 },
    () => requestsPerSecond(load, SECONDS),
    async () => Number(await bare.ask()),
  );
}

async function cheapest(): Promise<Row> {
  await using server = await startServer({ SIGNING_ALG: "EdDSA" });
  const load = await loginLoad(server);
  return await against(
    { what: "Remembered logins, EdDSA, against GETs of the JWK set", least: 0.1 },
    () => requestsPerSecond(load, SECONDS),
    () => requestsPerSecond(`${server.url}/.well-known/jwks.json`, SECONDS),
  );
}

async function against(
  { what, least }: { what: string; least: number },
  login: Take,
  baseline: Take,
): Promise<Row> {
  const [ours, theirs] = await inTurns(ROUNDS, login, baseline);
  return {
    what,
    unit: "/s",
    measured: median(ours),
    baseline: median(theirs),
    goal: ["at least", least],
  };
}

async function startServer(env: Record<string, string> = {}): Promise<Server> {
  const server = await Server.start({ isFullCost: true, env: { ...UNLIMITED, ...env } });
  await settled(server);
  return server;
}

/** A login that was successful just now. */
async function loginLoad(server: Server) {
  const { username, password } = await server.register();
  await server.token({ username, password });
  return jsonLoad(`${server.url}/auth`, { username, password });
}
