/** What a login costs. */

import { Server, UNLIMITED } from "../blackbox/harness.ts";
import { settled } from "../blackbox/keys.ts";
import { Helper } from "./helper.ts";
import type { Row } from "./row.ts";
import { duration, inTurns, median } from "./statistics.ts";

const LOGINS = 25;

/**
 * Milliseconds for a login that no cache can answer, against the one Argon2id run that it cannot do
 * without.
 */
export async function measureLogin(): Promise<Row[]> {
  await using server = await Server.start({ isFullCost: true, env: UNLIMITED });
  await settled(server);
  const { password } = await server.register();
  const [row] = server.query<{ password_hash: string }>("SELECT password_hash FROM users");
  await using bare = new Helper("bare_verify.ts", [row!.password_hash, password]);

  const [ours, theirs] = await inTurns(LOGINS, async () => {
    const user = await server.register();
    return await duration(() => server.token(user));
  }, async () => Number(await bare.ask()));
  return [{
    what: "Login, not cached, against a bare verify of Argon2id",
    unit: "ms",
    measured: median(ours),
    baseline: median(theirs),
    goal: ["at most", 1.5],
  }];
}
