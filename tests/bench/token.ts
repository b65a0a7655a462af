/** What a token costs whose client authenticates with a key (RFC 7523). */

import { Server, UNLIMITED } from "../blackbox/harness.ts";
import { settled } from "../blackbox/keys.ts";
import { Helper } from "./helper.ts";
import { KeyClient } from "./key_client.ts";
import type { Row } from "./row.ts";
import { duration, inTurns, median } from "./statistics.ts";

const TOKENS = 200;

/**
 * Milliseconds for a token of RS256 by an assertion of ES256, log row and HTTP included, against one
 * verification and one signature of the same algorithms.
 */
export async function measureToken(): Promise<Row[]> {
  await using server = await Server.start({ isFullCost: true, env: UNLIMITED });
  await settled(server);
  const client = await KeyClient.register(server, "ES256");
  await using bare = new Helper("token_bare.ts");

  await client.prepare(TOKENS + 2);
  await Promise.all([client.ask(), bare.ask()]); // both are warm from here on
  const [ours, theirs] = await inTurns(
    TOKENS,
    () => duration(() => client.ask()),
    async () => Number(await bare.ask()),
  );
  return [{
    what: "Token by an assertion (ES256, then RS256), against bare verify and sign",
    unit: "ms",
    measured: median(ours),
    baseline: median(theirs),
    goal: ["at most", 3],
  }];
}
