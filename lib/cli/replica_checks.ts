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

/** How long ago a server that runs has told of itself at most, in milliseconds. */
const RECENT = 60_000;

/** The servers that run, by the database's clock. */
export async function readReplicas(statements: Statements): Promise<SeenServer[]> {
  const [now, servers] = [await readClock(statements), await list(statements)];
  return servers.filter(({ seenAt }) => now - seenAt < RECENT);
}

/** @throws as `readKeyEncryption` does. */
export async function checkReplicas(statements: Statements): Promise<Finding[]> {
  const servers = await readReplicas(statements);
  if (servers.length === 0) return [ok("servers", "none has told of itself in the last minute")];
  const known = await readKeyEncryption(statements);
  const versions = [...new Set(servers.map(({ version }) => version))].sort();
  const found = servers.flatMap((server) => examineReplica(server, known?.check));
  if (versions.length > 1) {
    found.push(warning(
      "servers",
      `those that run are of ${versions.length} versions: ${versions.join(", ")}`,
      "replace the older ones: only two releases in a row work beside each other",
    ));
  }
  if (found.length > 0) return found;
  const hosts = servers.map(({ host }) => host).sort().join(", ");
  return [ok("servers", `${servers.length} of version ${versions}, all well: ${hosts}`)];
}

function examineReplica({ host, at, seenAt, check }: SeenServer, known?: Uint8Array): Finding[] {
  const offset = offsetFinding("servers", `the clock of ${host}`, at - seenAt);
  const isSuperseded = known !== undefined && !isSameBytes(check, known);
  return [
    ...offset === undefined ? [] : [offset],
    ...isSuperseded
      ? [problem(
        "servers",
        `${host} runs under another secret than the database's: it makes no keys`,
        "give it the new secret, and start it again",
      )]
      : [],
  ];
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
