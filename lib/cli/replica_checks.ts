/** What `doctor` checks of the servers that share a database, by what they tell of themselves. */

import { isSameBytes } from "../base/bytes.ts";
import { readClock, readRoom } from "../storage/postgres/facts.ts";
import { readKeyEncryption } from "../storage/postgres/meta.ts";
import { MAX_CONNECTIONS } from "../storage/postgres/pool.ts";
import { list } from "../storage/postgres/servers_table.ts";
import type { Statements } from "../storage/postgres/transaction.ts";
import type { SeenServer } from "../storage/storage.ts";
import { offsetFinding } from "./clock_offset.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** How long ago a server that runs has told of itself at most, in milliseconds: it misses two times. */
const RECENT = 30_000;

/** The same of one that has missed none: it tells every ten seconds. */
const PUNCTUAL = 15_000;

/** What servers that run have told, and when that was. */
export interface Replica extends SeenServer {
  /** How long ago, in milliseconds. */
  age: number;
}

/** The servers that run, by the database's clock. */
export async function readReplicas(statements: Statements): Promise<Replica[]> {
  const [now, servers] = [await readClock(statements), await list(statements)];
  const recent = servers.map((server) => ({ ...server, age: now - server.seenAt }))
    .filter(({ age }) => age < RECENT);
  // One that was killed is not told apart from one that is late, but by who has its place since.
  return recent.filter(({ host, age }, place) =>
    age < PUNCTUAL || !recent.slice(0, place).some((newer) => newer.host === host)
  );
}

/** @throws as `readKeyEncryption` does. */
export async function checkReplicas(statements: Statements): Promise<Finding[]> {
  const servers = await readReplicas(statements);
  if (servers.length === 0) return [ok("servers", "none has told of itself of late")];
  const known = await readKeyEncryption(statements);
  const versions = [...new Set(servers.map(({ version }) => version))].sort();
  const found = [
    ...servers.flatMap((server) => examineReplica(server, known?.check)),
    ...checkVersions(versions),
    ...checkIssuers(servers),
    ...checkLimits(servers),
  ];
  if (found.length > 0) return found;
  const hosts = servers.map(({ host }) => host).sort().join(", ");
  return [ok("servers", `${servers.length} of version ${versions}, all well: ${hosts}`)];
}

function examineReplica(
  { host, at, seenAt, check, age }: Replica,
  known: Uint8Array | undefined,
): Finding[] {
  const offset = offsetFinding("servers", `the clock of ${host}`, at - seenAt);
  const isSuperseded = known !== undefined && !isSameBytes(check, known);
  return [
    ...offset === undefined ? [] : [offset],
    ...isSuperseded
      ? [problem(
        "servers",
        `${host} runs under another secret than the database's, as of ` +
          `${Math.round(age / 1000)} s ago: it makes no keys`,
        "put the new one into its NOT_MY_KEY_FILE, or start it again with it; what it has then, it " +
          "tells within 10 s",
      )]
      : [],
  ];
}

function checkVersions(versions: readonly string[]): Finding[] {
  if (versions.length === 1) return [];
  return [warning(
    "servers",
    `those that run are of ${versions.length} versions: ${versions.join(", ")}`,
    "replace the older ones: only two releases in a row work beside each other",
  )];
}

/** One that takes the issuer from the request is each that it is asked for. */
function checkIssuers(servers: readonly Replica[]): Finding[] {
  const stated = servers.filter(({ issuer }) => issuer !== null);
  const hosts = Map.groupBy(stated, ({ issuer }) => issuer);
  if (hosts.size <= 1) return [];
  const named = [...hosts].map(([issuer, of]) =>
    `${issuer} (${of.map(({ host }) => host).join(", ")})`
  );
  return [problem(
    "servers",
    `those that run are ${hosts.size} issuers: ${named.sort().join(", ")}`,
    "set ISSUER to the same on every server: who trusts one of them refuses the tokens of the others",
  )];
}

function checkLimits(servers: readonly Replica[]): Finding[] {
  const places = new Set(servers.map(({ limitedAt }) => limitedAt));
  const count = servers.length;
  if (count === 1 || (places.size === 1 && !places.has(null))) return [];
  const hint = "set REDIS_URL to the same on every server";
  if (places.size === 1) {
    const times = `a client that comes to each has ${count} times RATE_LIMIT`;
    const otherwise = "or let the balancer choose a server by the client's address";
    return [warning(
      "servers",
      `each of the ${count} counts requests alone: ${times}`,
      `${hint}, ${otherwise}`,
    )];
  }
  const named = [...places].map((place) => place ?? "none").sort().join(", ");
  return [warning("servers", `those that run count requests at different places: ${named}`, hint)];
}

/** Whether each server may have all the connections that it makes use of under load. */
export async function checkRoom(statements: Statements): Promise<Finding> {
  const { ofServer, ofRole, ofDatabase } = await readRoom(statements);
  const servers = Math.max((await readReplicas(statements)).length, 1);
  const needed = servers * MAX_CONNECTIONS;
  const room = Math.min(...[ofServer, ofRole, ofDatabase].filter((limit) => limit >= 0));
  const count = `${servers} ${servers === 1 ? "server" : "servers"}`;
  const message = `${count} may want ${needed} connections, of ${room} that there are`;
  if (needed < room) return ok("connections", message); // a command needs one as well
  return warning(
    "connections",
    message,
    "raise max_connections, or what the role and the database may have, or put PgBouncer between",
  );
}
