/** What replicas go through while their database is away, and what must hold meanwhile and after. */

import assert from "node:assert/strict";
import { within } from "../../lib/base/deadline.ts";
import { NOTICED } from "../blackbox/commands.ts";
import { eventually, type Server } from "../blackbox/harness.ts";
import type { Credentials } from "../blackbox/client.ts";
import { ROLE_PASSWORD } from "../servers/postgres.ts";
import { Load } from "./load.ts";
import type { Site } from "./site.ts";
import { assertRegistered, assertSound } from "./soundness.ts";
import { Verifiers } from "./verifiers.ts";

/** How many clients each replica has: more than it has connections to the database. */
const CLIENTS = 12;

/** Within which time every request is answered, in milliseconds. */
const PATIENCE = 3000;

/** How long after the database is back a login may be refused for the last time, in milliseconds. */
const RECOVERY = 2000;

/** Tokens that are given before and after. */
const TOKENS = 30;

export interface Outage {
  /** Makes it, and gives what ends it. */
  begin(site: Site): Promise<() => Promise<unknown> | unknown>;
  /** For how long it lasts at least, in milliseconds. */
  lasts: number;
  /** Whether servers can tell by what readiness asks; else by the requests of clients alone. */
  isFoundOut?: boolean;
}

/** Lets replicas with busy clients go through an outage, and asserts what is promised of it. */
export async function undergo(site: Site, outage: Outage): Promise<void> {
  const { replicas } = site;
  const { servers } = replicas;
  const user = await servers[0]!.register();
  const load = new Load(replicas, { clients: CLIENTS });
  const verifiers = new Verifiers(replicas);
  await load.give(TOKENS);
  const end = await outage.begin(site);
  const begun = Date.now();
  try {
    const isAway = Promise.all(servers.map((server) => assertAway(server, user, outage)));
    assert.ok(await within(NOTICED.patience, isAway), "requests are not answered");
    await isAway;
    await new Promise((go) => setTimeout(go, Math.max(outage.lasts - (Date.now() - begun), 0)));
  } finally {
    await end();
  }
  const back = Date.now();
  await Promise.all(servers.map((server) => assertBack(server, user)));
  await load.give(TOKENS);
  await load.stop();
  await verifiers.stop();
  assert.equal(verifiers.etags.length, 1, "the JWKS is another one");
  await assertSound(replicas, load, { isRefused: true });
  await assertRegistered(replicas, load);
  assertTimes(load, back);
  for (const { stderr } of servers) assert.ok(!stderr.includes(ROLE_PASSWORD.slice(0, 6)), stderr);
}

/** Logins are refused, and so is readiness, which says the same for as long as the outage lasts. */
async function assertAway(
  server: Server,
  user: Credentials,
  { isFoundOut = true }: Outage,
): Promise<void> {
  await eventually("logins are refused", async () => {
    return (await server.login(user)).status === 503 || undefined;
  });
  if (!isFoundOut) return;
  await eventually("the server is not ready", async () => {
    return (await server.request("/readyz")).status === 503 || undefined;
  });
}

/** Logins are admitted, and the server is ready, without anybody's doing. */
async function assertBack(server: Server, user: Credentials): Promise<void> {
  const soon = { patience: RECOVERY };
  await eventually("a login succeeds", async () => {
    return (await server.login(user)).status === 200 || undefined;
  }, soon);
  await eventually("the server is ready", async () => {
    return (await server.request("/readyz")).status === 200 || undefined;
  }, soon);
}

/** No client has waited for long, nor was refused any more once the database was back for a while. */
function assertTimes({ told }: Load, back: number): void {
  const slowest = Math.max(...told.map(({ begun, ended }) => ended - begun));
  assert.ok(slowest < PATIENCE, `a request took ${slowest} ms`);
  const refused = told.filter(({ status }) => status === 503);
  const late = Math.max(...refused.map(({ begun }) => begun)) - back;
  assert.ok(late < RECOVERY, `a request was refused ${late} ms after the outage`);
}
