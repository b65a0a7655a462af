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

/**
 * Requests a second for the JWK set, whole and not modified, each of them counted, against a server
 * that knows nothing but the same answer.
 */
export async function measureJwks(): Promise<Row[]> {
  await using server = await Server.start({ env: { METRICS_ADDRESS: "127.0.0.1:0" } });
  await settled(server);
  const etag = (await server.jwks()).headers.get("etag")!;
  return [
    await compare(server, "GET of the JWK set", {}),
    await compare(server, "GET of the JWK set, 304", { "if-none-match": etag }),
  ];
}

async function compare(
  server: Server,
  what: string,
  headers: Record<string, string>,
): Promise<Row> {
  const answer = await server.jwks(headers);
  const fixed = [...answer.headers].filter(([name]) => name !== "date"); // Deno says it by itself
  const bare = { status: answer.status, headers: fixed, text: answer.text };
  await using ofText = new Helper("bare_server.ts", [JSON.stringify({ ...bare, isText: true })]);
  await using ofBytes = new Helper("bare_server.ts", [JSON.stringify({ ...bare, isText: false })]);
  const urls = [];
  for (const helper of [ofText, ofBytes]) {
    const url = `http://127.0.0.1:${await helper.line()}`;
    const copy = await new Client(url).request(PATH);
    if (copy.text !== answer.text) throw new Error("The baseline answers something else");
    urls.push(url);
  }
  const loadOf = (url: string) => () => requestsPerSecond({ url: url + PATH, headers }, SECONDS);
  const [ours, ...theirs] = await inTurns(ROUNDS, ...[server.url, ...urls].map(loadOf));
  return {
    what: `${what}, against the same bytes from a bare Deno.serve`,
    unit: "requests/s",
    measured: median(ours!),
    baseline: Math.max(...theirs.map(median)),
    goal: ["at least", 0.85],
  };
}
