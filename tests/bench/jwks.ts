/** How fast the JWK set is served. */

import { Client } from "../blackbox/client.ts";
import { Server } from "../blackbox/harness.ts";
import { settled } from "../blackbox/keys.ts";
import { Helper } from "./helper.ts";
import { requestsPerSecond } from "./load.ts";
import type { Row } from "./row.ts";
import { inTurns, median } from "./statistics.ts";

const ROUNDS = 5;
const SECONDS = 2;
const PATH = "/.well-known/jwks.json";

/** Requests a second for the JWK set, each of them counted, against a server that knows nothing but the same answer. */
export async function measureJwks(): Promise<Row[]> {
  await using server = await Server.start({ env: { METRICS_ADDRESS: "127.0.0.1:0" } });
  await settled(server);
  const { headers, text } = await server.jwks();
  const fixed = [...headers].filter(([name]) => name !== "date"); // Deno says it by itself
  await using bare = new Helper("bare_server.ts", [JSON.stringify({ headers: fixed, text })]);
  const bareUrl = `http://127.0.0.1:${await bare.line()}`;
  const copy = await new Client(bareUrl).request(PATH);
  if (copy.text !== text) throw new Error("The baseline answers something else");

  const [ours, theirs] = await inTurns(
    ROUNDS,
    () => requestsPerSecond(server.url + PATH, SECONDS),
    () => requestsPerSecond(bareUrl + PATH, SECONDS),
  );
  return [{
    what: "GET of the JWK set, against a bare Deno.serve",
    unit: "requests/s",
    measured: median(ours),
    baseline: median(theirs),
    goal: ["at least", 0.7],
  }];
}
