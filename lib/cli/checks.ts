/** What `doctor` checks, one thing a function. */

import { statfs } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { type Clock, isoTime, numericDate } from "../base/clock.ts";
import type { Config } from "../server/config.ts";
import { CommandError } from "../base/errors.ts";
import type { HeldKey } from "../keys/held_keys.ts";
import type { KeyRing } from "../keys/key_ring.ts";
import { activeKey, isEmptyPlan, keyState, planRotation } from "../rotation/policy.ts";
import { secretFileOf } from "../sealing/secret.ts";
import { examineDatabase } from "../storage/sqlite/database.ts";
import { SCHEMA_VERSION } from "../storage/sqlite/schema.ts";
import { type OpenedKeys, rotationPolicy } from "../server/open.ts";

/** The result of a check. */
export interface Finding {
  check: string;
  status: "ok" | "warning" | "problem";
  message: string;
  /** What to do, unless all is well. */
  hint?: string;
}

/** Free disk space below which to warn, in bytes. */
const LITTLE_SPACE = 100 * 1024 * 1024;

/** How far the newest log row may lie ahead of the clock, in seconds. */
const CLOCK_TOLERANCE = 60;

/** How long the issuer may take to answer, in milliseconds. */
const PATIENCE = 3000;

/** The members that only a private JWK has (RFC 7518 §6, RFC 9964 §3). */
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

export async function checkDatabase({ database }: Config): Promise<Finding> {
  const exists = await Deno.stat(database).then((info) => info.isFile, () => false);
  if (!exists) {
    return problem("database", `there is no ${database}`, "set DATABASE, or start the server");
  }
  try {
    const details = examineDatabase(database, (opened) => {
      const rows = opened.all<{ quick_check: string }>("PRAGMA quick_check");
      return rows.map((row) => row.quick_check).join("; ");
    });
    if (details === "ok") return ok("database", `sound, schema version ${SCHEMA_VERSION}`);
    return problem("database", `corrupt (${details ?? "empty"})`, "put a backup in its place");
  } catch (error) {
    const { message, hints } = asCommandError(error);
    return problem("database", message, hints[0] ?? "put a backup in its place");
  }
}

export async function checkSecretFile(config: Config): Promise<Finding> {
  if (config.secret !== undefined) return ok("secret file", "not used: NOT_MY_KEY is set");
  return await checkMode("secret file", config.secretFile ?? secretFileOf(config.database));
}

export async function checkMode(check: string, file: string): Promise<Finding> {
  const info = await Deno.stat(file).catch(() => undefined);
  if (info === undefined) {
    return problem(check, `${file} cannot be seen`, "restore it from a backup");
  }
  const mode = (info.mode ?? 0o600) & 0o777;
  const text = mode.toString(8).padStart(3, "0");
  if ((mode & 0o077) === 0) return ok(check, `${file} has mode ${text}`);
  return problem(check, `${file} has mode ${text}: others may read it`, `chmod 600 ${file}`);
}

export async function checkSpace({ database }: Config): Promise<Finding> {
  const found = await promisify(statfs)(dirname(database)).catch(() => undefined);
  if (found === undefined) {
    return problem("disk", `${dirname(database)} cannot be seen`, "set DATABASE, or make it");
  }
  const { bavail, bsize } = found;
  const free = Number(bavail) * Number(bsize);
  const message = `${Math.floor(free / 1024 / 1024)} MiB free`;
  if (free >= LITTLE_SPACE) return ok("disk", message);
  return warning("disk", message, "make room: without it no token is issued");
}

export function checkPublished(ring: KeyRing): Finding {
  const set = ring.published();
  if (set === undefined) {
    return problem("published set", "empty", "start the server, which makes a key");
  }
  const { keys } = JSON.parse(new TextDecoder().decode(set.body)) as { keys: object[] };
  const leaked = PRIVATE_MEMBERS.filter((name) => keys.some((key) => name in key));
  if (leaked.length === 0) return ok("published set", `${keys.length} keys, public members only`);
  return problem(
    "published set",
    `holds private members (${leaked})`,
    "stop the server, report this",
  );
}

export function checkSchedule(keys: readonly HeldKey[], config: Config, clock: Clock): Finding {
  const now = numericDate(clock());
  const signers = keys.filter((key) => keyState(key, now) === "active");
  if (signers.length > 1) {
    return problem("schedule", `${signers.length} keys sign at once`, "revoke all but one of them");
  }
  const active = activeKey(keys, now);
  if (active === undefined) {
    return problem("schedule", "no key signs now", "start the server, which makes a key at once");
  }
  if (!isEmptyPlan(planRotation(keys, now, rotationPolicy(config)))) {
    return warning("schedule", "a change is due", "see that a server runs: it makes the change");
  }
  const until = isoTime(active.signUntil);
  return ok(
    "schedule",
    `key ${active.signing.kid} signs until ${until}, the next one is published`,
  );
}

export async function checkClock({ storage, clock }: OpenedKeys): Promise<Finding> {
  const [newest] = await storage.newestAuthentications(1);
  const ahead = newest ? (Date.parse(`${newest.timestamp}Z`) - clock()) / 1000 : 0;
  if (ahead <= CLOCK_TOLERANCE) return ok("clock", "not behind the newest log entry");
  const message = `${Math.round(ahead)} s behind the newest log entry`;
  return problem("clock", message, "set the clock right: tokens would be dated in the past");
}

export async function checkProxies({ host, trustedProxies }: Config, { storage }: OpenedKeys) {
  const everybody = trustedProxies.filter((network) => network.endsWith("/0"));
  if (everybody.length > 0) {
    const message = `TRUSTED_PROXIES ${everybody} believes every client's X-Forwarded-For`;
    return problem("proxies", message, "name only the addresses of your own proxies");
  }
  const isPublic = !["127.0.0.1", "::1", "localhost"].includes(host);
  const recent = await storage.newestAuthentications(1000);
  const clients = new Set(recent.map(({ ip }) => ip));
  if (trustedProxies.length === 0 && recent.length >= 20 && clients.size === 1) {
    return warning(
      "proxies",
      `every client has the address ${[...clients]}: a proxy may stand in front`,
      "set TRUSTED_PROXIES to it, or all clients share one rate limit",
    );
  }
  if (isPublic && trustedProxies.length === 0) {
    return warning("proxies", `HOST is ${host}, with no proxy before it`, "put TLS in front");
  }
  return ok(
    "proxies",
    trustedProxies.length > 0 ? `believed: ${trustedProxies}` : "none, none needed",
  );
}

export async function checkIssuer({ issuer, port }: Config, ring: KeyRing): Promise<Finding> {
  const url = `${(issuer ?? `http://localhost:${port}`).replace(/\/$/, "")}/.well-known/jwks.json`;
  let theirs: string;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
    theirs = await response.text();
  } catch {
    return warning(
      "issuer",
      `${url} cannot be reached from here`,
      "start the server, or set ISSUER",
    );
  }
  const ours = ring.published();
  const isEqual = ours !== undefined && theirs === new TextDecoder().decode(ours.body);
  if (isEqual) return ok("issuer", `${url} publishes this database's keys`);
  return problem(
    "issuer",
    `${url} publishes other keys than this database's`,
    "see that ISSUER leads to this server, that it was started again after a rekey, and that no cache stands between",
  );
}

export function asCommandError(error: unknown): { message: string; hints: readonly string[] } {
  if (error instanceof CommandError) return error;
  return { message: error instanceof Error ? error.message : String(error), hints: [] };
}

export function ok(check: string, message: string): Finding {
  return { check, status: "ok", message };
}

function warning(check: string, message: string, hint: string): Finding {
  return { check, status: "warning", message, hint };
}

export function problem(check: string, message: string, hint: string): Finding {
  return { check, status: "problem", message, hint };
}
