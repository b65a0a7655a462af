/** What a decision of the rate limit costs that servers share. */

import { createLog } from "../../lib/base/log.ts";
import { openLimits } from "../../lib/server/limits.ts";
import { parseValkeyUrl } from "../../lib/limits/valkey/location.ts";
import { Script, ValkeyConnection } from "../../lib/limits/valkey/connection.ts";
import { findRedis, RedisServer } from "../servers/redis.ts";
import { load } from "../server/loaded.ts";
import type { Row, Unmeasured } from "./row.ts";
import { duration, inTurns, quantile } from "./statistics.ts";

const ROUNDS = 2000;

/** How many clients ask in turn: each is always within its limit. */
const CLIENTS = 1000;

const NOTHING = new Script("return 1");

/** Requests at the same moment. */
const BURST = 50;

/** Milliseconds of which 99 of 100 decisions take less, against a round trip that decides nothing. */
export async function measureValkey(): Promise<(Row | Unmeasured)[]> {
  const program = await findRedis("the benchmark of a limit that servers share");
  if (program === undefined) {
    return [{ what: "Shared limit", reason: "there is no redis-server", isFailure: false }];
  }
  await using server = await RedisServer.launch(program);
  const config = load({ REDIS_URL: server.url, RATE_LIMIT: "100" });
  const { requests, sharing } = await openLimits(config, createLog("error", () => {}));
  const bare = new ValkeyConnection({ location: parseValkeyUrl(server.url)! });
  await sharing!.start();
  await bare.connect();
  try {
    const limiter = requests("auth");
    let sent = 0;
    const decide = () => limiter.admit(`192.0.2.${sent++ % CLIENTS}`);
    const ping = () => bare.send("PING");
    const script = () => bare.run(NOTHING, "key");
    const [all, each] = [() => atOnce(decide), () => atOnce(script)];
    const rows = [
      await compare("Shared decision, 99 of 100, against a bare PING", decide, ping),
      await compare(
        "Shared decision, 99 of 100, against a script that does nothing",
        decide,
        script,
      ),
      await compare(`${BURST} of both at once, 99 of 100`, all, each),
    ];
    if (sharing!.fallbacks > 0) throw new Error(`${sharing!.fallbacks} were not shared`);
    return rows;
  } finally {
    bare.close();
    await sharing!.stop();
  }
}

async function compare(
  what: string,
  ours: () => unknown,
  theirs: () => unknown,
): Promise<Row> {
  const [measured, baseline] = await inTurns(ROUNDS, () => duration(ours), () => duration(theirs));
  const most = [measured, baseline].map((values) => quantile(values, 0.99));
  return { what, unit: "ms", measured: most[0]!, baseline: most[1]!, goal: ["at most", 3] };
}

function atOnce(work: () => unknown): Promise<unknown> {
  return Promise.all(Array.from({ length: BURST }, work));
}
