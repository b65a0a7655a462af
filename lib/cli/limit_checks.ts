/** What `doctor` checks of the Valkey or Redis on which servers share their rate limit. */

import { within } from "../base/deadline.ts";
import { replyCode, ValkeyConnection } from "../limits/valkey/connection.ts";
import { Overdue, sharingFault } from "../limits/valkey/faults.ts";
import { describeValkey } from "../limits/valkey/location.ts";
import { ValkeyWindow } from "../limits/valkey/valkey_window.ts";
import { readCertificates } from "../server/pem_file.ts";
import type { SharedLimitSettings } from "../server/shared_limit_settings.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** How many decisions are measured. */
const DECISIONS = 9;

/** From where on a decision is slow, in milliseconds: a login waits for 100 at most, then none is shared. */
const SLOW = 20;

/** How long an answer is waited for, in milliseconds. */
const PATIENCE = 1000;

/** @throws as `readCertificates` does. */
export async function checkSharedLimit(settings: SharedLimitSettings): Promise<Finding[]> {
  const { location, caFile } = settings;
  const ca = caFile && await readCertificates("REDIS_CA_FILE", caFile);
  const connection = new ValkeyConnection({ location, ca });
  try {
    await connection.connect();
    return [await checkDecisions(connection, settings), await checkMemory(connection)];
  } catch (error) {
    return [tellFault(error, settings)];
  } finally {
    connection.close();
  }
}

/** A limit that is not shared is still one, unless the servers are told otherwise. */
function tellFault(error: unknown, { location, isStrict }: SharedLimitSettings): Finding {
  const { reason, hint = "see that it runs, and what REDIS_URL says of it" } = sharingFault(error);
  const server = describeValkey(location);
  return isStrict
    ? problem("rate limit", `${server} decides nothing, so requests are refused: ${reason}`, hint)
    : warning("rate limit", `${server} decides nothing, each server by itself: ${reason}`, hint);
}

/** @throws what keeps it from deciding. */
async function checkDecisions(
  connection: ValkeyConnection,
  { location, isStrict }: SharedLimitSettings,
): Promise<Finding> {
  const itself = (client: string) => client;
  const probe = new ValkeyWindow({
    name: "doctor",
    limit: 1,
    window: 1,
    connection,
    keyOf: itself,
  });
  const times: number[] = [];
  for (let decision = 0; decision < DECISIONS; decision++) {
    const start = performance.now();
    await inTime(probe.admit("all"));
    times.push(performance.now() - start);
  }
  const median = times.sort((a, b) => a - b)[Math.floor(DECISIONS / 2)]!;
  const otherwise = isStrict ? "requests are refused" : "each server decides by itself";
  const message = `${describeValkey(location)} decides in ${median.toFixed(1)} ms; ` +
    `while it does not, ${otherwise}`;
  if (median <= SLOW) return ok("rate limit", message);
  return warning("rate limit", message, "bring it nearer: each login waits for that");
}

/** What a server under pressure forgets are the counts of clients. */
async function checkMemory(connection: ValkeyConnection): Promise<Finding> {
  let info: string;
  try {
    info = String(await inTime(connection.send("INFO")));
  } catch (error) {
    if (replyCode(error) !== "NOPERM") throw error;
    const hint = "let the user run INFO, or see to it that maxmemory-policy is noeviction";
    return warning("rate limit memory", "this user may not ask for it", hint);
  }
  const { maxmemory = "0", maxmemory_policy: policy = "unknown", ...rest } = fieldsOf(info);
  const server = rest["valkey_version"] === undefined
    ? `Redis ${rest["redis_version"]}`
    : `Valkey ${rest["valkey_version"]}`;
  const bound = maxmemory === "0" ? "no maxmemory" : `maxmemory ${maxmemory} bytes`;
  const message = `${server}, ${bound}, maxmemory-policy ${policy}`;
  if (maxmemory === "0" || policy === "noeviction") return ok("rate limit memory", message);
  return warning(
    "rate limit memory",
    `${message}: when it is full, limits are forgotten`,
    "set maxmemory-policy to noeviction, or give it a server of its own",
  );
}

/** The lines `name:value` of an answer to `INFO`. */
function fieldsOf(info: string): Record<string, string> {
  return Object.fromEntries([...info.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, ...pair]) => pair));
}

/** @throws {Overdue} when there is no answer; otherwise what the work rejects with. */
async function inTime<Result>(work: Promise<Result>): Promise<Result> {
  if (!await within(PATIENCE, work)) throw new Overdue(PATIENCE);
  return await work;
}
