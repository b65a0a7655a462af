/** Replicas whose connections go through a PgBouncer in transaction mode. */

import assert from "node:assert/strict";
import { kidOf, NOTICED, publishedKids, verify } from "../blackbox/commands.ts";
import { Directory, eventually, type Server } from "../blackbox/harness.ts";
import { hasPgBouncer } from "../servers/pgbouncer.ts";
import { hasPostgres } from "../servers/postgres.ts";
import { form } from "./form.ts";
import { Load } from "./load.ts";
import { type Outage, undergo } from "./outage.ts";
import { Site } from "./site.ts";
import { assertRegistered, assertSound } from "./soundness.ts";

const NEW_SECRET = "a new secret for tests only";

/** How old an entry of the log may become. */
const RETENTION = { AUTH_LOG_RETENTION: "1d" };

const OUTAGES: Record<string, Outage> = {
  "stands still": {
    async begin({ bouncer }) {
      await bouncer.freeze();
      return () => bouncer.thaw();
    },
    lasts: form(3000, 10_000),
  },
  "was stopped": {
    async begin({ bouncer }) {
      await bouncer.stop();
      return () => bouncer.start();
    },
    lasts: form(500, 5000),
  },
  "has lost its server": {
    async begin({ postgres }) {
      await postgres.stop("immediate");
      return () => postgres.start();
    },
    lasts: form(500, 5000),
  },
};

const what = "replicas behind a PgBouncer";
const ignore = !(await hasPostgres(what) && await hasPgBouncer(what));

Deno.test({ name: "replicas live a whole life behind a PgBouncer", ignore }, async () => {
  await using site = await Site.start({ isPooled: true, env: RETENTION });
  const { replicas } = site;
  const [one, other] = replicas.servers as [Server, Server];
  const operator = await replicas.operator();
  const user = await one.register();
  const load = new Load(replicas);
  await load.give(20);
  await operator.rotate();
  await load.give(20);
  await load.stop();
  await assertSound(replicas, load);
  await assertRegistered(replicas, load);

  const leaked = kidOf(await other.token(user));
  await operator.revoke(leaked);
  for (const server of replicas.servers) {
    assert.notEqual(await verify(server, await server.token(user)), leaked);
    await eventually("it is gone from the JWKS", async () => {
      return !(await publishedKids(server)).includes(leaked) || undefined;
    }, NOTICED);
  }

  await using directory = new Directory();
  const env = { ...replicas.env, NEW_NOT_MY_KEY: NEW_SECRET };
  assert.equal((await directory.run(["rekey"], { env })).code, 0);
  await site.psql(
    "INSERT INTO auth_logs (request_ip, request_timestamp) " +
      "SELECT 'old', now() AT TIME ZONE 'UTC' - interval '2 days' FROM generate_series(1, 1000)",
  );
  const [fresh] = await replicas.add([{ NOT_MY_KEY: NEW_SECRET }]) as [Server];
  await fresh.token(user);
  await eventually("the old entries are purged", async () => {
    return await site.psql("SELECT count(*) FROM auth_logs WHERE request_ip = 'old'") === "0" ||
      undefined;
  });
});

Deno.test({ name: "replicas refuse what needs a PgBouncer that", ignore }, async (test) => {
  await using site = await Site.start({ isPooled: true });
  for (const [name, outage] of Object.entries(OUTAGES)) {
    await test.step(`${name}, publish their keys, and go on by themselves`, () =>
      undergo(site, outage));
  }
});
