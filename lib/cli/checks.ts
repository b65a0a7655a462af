/** What `doctor` checks of the keys, the log and the configuration, one thing a function. */

import { isoTime, numericDate } from "../base/clock.ts";
import { PRIVATE_MEMBERS } from "../keys/algorithms.ts";
import { policyDifferences } from "../keys/key_policy.ts";
import type { KeyRing } from "../keys/key_ring.ts";
import { activeKey, isEmptyPlan, keyState, planRotation } from "../rotation/policy.ts";
import type { Config } from "../server/config.ts";
import type { OpenedDatabase } from "../server/open.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** What the checks look at. */
export interface CheckParts {
  config: Config;
  database: OpenedDatabase;
  ring: KeyRing;
}

/** How far the newest log row may lie ahead of the clock, in seconds. */
const CLOCK_TOLERANCE = 60;

/** How many of the newest log rows are looked at. */
const RECENT = 1000;

export function checkKeys({ ring }: CheckParts): Finding[] {
  const hint = "the row was changed from outside: restore a backup, or revoke the key";
  const refused = ring.refused.map(({ id, reason }) =>
    problem("key", `row ${id} of the table keys is refused: ${reason}`, hint)
  );
  const opens = refused.length === 0 ? "opens all" : "opens";
  return [ok("secret", `${opens} ${ring.keys.length} keys`), ...refused];
}

/** A server puts its own policy into force, what it does not state being as it is by default. */
export function checkPolicy({ config, ring }: CheckParts): Finding {
  const differences = ring.policyDifferences;
  if (differences.length > 0) {
    return warning(
      "policy",
      `the database's policy is another one: ${differences.join("; ")}`,
      "commands go by the database's; a server writes its own when it starts",
    );
  }
  const unstated = policyDifferences(config.policy, ring.policy);
  if (unstated.length === 0) return ok("policy", "this configuration is the database's policy");
  return warning(
    "policy",
    `this environment does not state the database's policy: ${unstated.join("; ")}`,
    "a server started like this would change it: set the variables to the same on every server",
  );
}

export function checkPublished({ ring }: CheckParts): Finding {
  const set = ring.published();
  if (set === undefined) {
    return problem("published set", "empty", "start the server, which makes a key");
  }
  const { keys } = JSON.parse(set.text) as { keys: object[] };
  const leaked = PRIVATE_MEMBERS.filter((name) => keys.some((key) => name in key));
  if (leaked.length === 0) return ok("published set", `${keys.length} keys, public members only`);
  return problem(
    "published set",
    `holds private members (${leaked})`,
    "stop the server, report this",
  );
}

export function checkSchedule({ ring, database: { clock } }: CheckParts): Finding {
  const now = numericDate(clock());
  const signers = ring.keys.filter((key) => keyState(key, now) === "active");
  if (signers.length > 1) {
    return problem("schedule", `${signers.length} keys sign at once`, "revoke all but one of them");
  }
  const active = activeKey(ring.keys, now);
  if (active === undefined) {
    return problem("schedule", "no key signs now", "start the server, which makes a key at once");
  }
  if (!isEmptyPlan(planRotation(ring.keys, now, ring.policy))) {
    return warning("schedule", "a change is due", "see that a server runs: it makes the change");
  }
  const until = isoTime(active.signUntil);
  return ok("schedule", `key ${active.kid} signs until ${until}, the next one is published`);
}

/** Where others write the log as well, their clocks may be the cause: which it is, other checks tell. */
export async function checkClock(
  { config, database: { storage, clock } }: CheckParts,
): Promise<Finding> {
  const recent = await storage.newestAuthentications(RECENT);
  const odd = recent.find(({ at }) => at === null);
  if (odd !== undefined) {
    return warning(
      "clock",
      `row ${odd.id} of auth_logs has a timestamp of another form: ${odd.oddTime}`,
      "another program wrote it: correct it, or delete the row",
    );
  }
  const [newest] = recent;
  const ahead = newest ? (newest.at! - clock()) / 1000 : 0;
  if (ahead <= CLOCK_TOLERANCE) return ok("clock", "not behind the newest log entry");
  if (config.database.engine === "postgres") {
    return warning(
      "clock",
      `the newest log entry is ${Math.round(ahead)} s ahead of this machine's clock`,
      "a server whose clock was ahead wrote it, unless the check of the database clock says that " +
        "this one is behind",
    );
  }
  const message = `${Math.round(ahead)} s behind the newest log entry`;
  return problem("clock", message, "set the clock right: tokens would be dated in the past");
}

export async function checkProxies({ config, database }: CheckParts): Promise<Finding> {
  const { host, trustedProxies } = config;
  const everybody = trustedProxies.filter((network) => network.endsWith("/0"));
  if (everybody.length > 0) {
    const message = `TRUSTED_PROXIES ${everybody} believes every client's X-Forwarded-For`;
    return problem("proxies", message, "name only the addresses of your own proxies");
  }
  const isPublic = !["127.0.0.1", "::1", "localhost"].includes(host);
  const recent = await database.storage.newestAuthentications(RECENT);
  const clients = new Set(recent.map(({ ip }) => ip));
  if (trustedProxies.length === 0 && recent.length >= 20 && clients.size === 1) {
    return warning(
      "proxies",
      `every client has the address ${[...clients]}: a proxy may stand in front`,
      "set TRUSTED_PROXIES to it, or all clients share one rate limit",
    );
  }
  const isBare = trustedProxies.length === 0 && config.tls === undefined;
  if (isBare && config.issuer?.startsWith("https:")) {
    return warning(
      "proxies",
      "ISSUER is https: and there is no certificate, so a proxy must stand in front",
      "set TRUSTED_PROXIES to its address, or all clients share one rate limit",
    );
  }
  if (isPublic && isBare) {
    return warning(
      "proxies",
      `HOST is ${host}, with no proxy before it`,
      "set TLS_CERT_FILE and TLS_KEY_FILE, or put TLS in front",
    );
  }
  return ok(
    "proxies",
    trustedProxies.length > 0 ? `believed: ${trustedProxies}` : "none, none needed",
  );
}
