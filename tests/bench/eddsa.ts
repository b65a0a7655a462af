/** How many tokens a server gives whose keys and whose client's key are of Ed25519. */

import { Server, UNLIMITED } from "../blackbox/harness.ts";
import { settled } from "../blackbox/keys.ts";
import { KeyClient } from "./key_client.ts";
import { CONNECTIONS, requestsPerSecond } from "./load.ts";
import type { Row } from "./row.ts";
import { duration, inTurns, median } from "./statistics.ts";

const ROUNDS = 5;
const SECONDS = 2;

/** Of one round. */
const TOKENS = 2560;

/** Tokens a second by assertions of EdDSA, against requests a second for the same server's JWK set. */
export async function measureEddsa(): Promise<Row[]> {
  const env = { ...UNLIMITED, SIGNING_ALG: "EdDSA" };
  await using server = await Server.start({ isFullCost: true, env });
  await settled(server);
  const client = await KeyClient.register(server, "EdDSA");

  await client.prepare(TOKENS * (ROUNDS + 1)); // the first round warms up
  const [ours, theirs] = await inTurns(
    ROUNDS,
    () => tokensPerSecond(client),
    () => requestsPerSecond(`${server.url}/.well-known/jwks.json`, SECONDS),
  );
  return [{
    what: "Tokens by an assertion (EdDSA, then EdDSA), against GET of the JWK set",
    unit: "requests/s",
    measured: median(ours),
    baseline: median(theirs),
  }];
}

/**
 * As many at once as the JWK set is asked for. No generator of load sends another body every time;
 * what this process spends on a request is little beside what the server does for a token.
 */
async function tokensPerSecond(client: KeyClient): Promise<number> {
  const elapsed = await duration(() =>
    Promise.all(Array.from({ length: CONNECTIONS }, async () => {
      for (let sent = 0; sent < TOKENS / CONNECTIONS; sent++) await client.ask();
    }))
  );
  return TOKENS / elapsed * 1000;
}
