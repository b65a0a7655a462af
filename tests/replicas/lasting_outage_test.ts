/** Replicas whose database is away for longer than caches keep a key set, and a key signs. */

import assert from "node:assert/strict";
import { kidOf, publishedKids } from "../blackbox/commands.ts";
import { Directory, eventually } from "../blackbox/harness.ts";
import { canMoveClocks, MovedClock } from "../faults/moved_clock.ts";
import { hasPostgres } from "../servers/postgres.ts";
import { Operator } from "./operator.ts";
import { Site } from "./site.ts";
import { assertKeys } from "./soundness.ts";

const REPLICAS = 3;

/** In seconds. */
const ROTATION = 600;
const MAX_AGE = 300;

const env = {
  KEY_ROTATION: `${ROTATION}s`,
  KEY_PREPUBLISH: "360s",
  JWKS_STALE_IF_ERROR: "0s",
  TOKEN_TTL: "10m",
};

const hasAll = canMoveClocks && await hasPostgres("an outage in which a key's turn ends");

Deno.test({
  name: "a key whose turn ends while the database is away hands over to the one that was published",
  ignore: !hasAll,
}, async () => {
  await using aside = new Directory();
  const clock = await MovedClock.at(`${aside.path}/clock`);
  await using site = await Site.start({ replicas: REPLICAS, env: { ...env, ...clock.env } });
  const { replicas, postgres } = site;
  const { servers } = replicas;
  const user = await servers[0]!.register();
  const before = await Promise.all(servers.map((server) => server.jwks()));
  const kids = await publishedKids(servers[0]!);
  const signer = kidOf(await servers[0]!.token(user));
  const [next] = kids.filter((kid) => kid !== signer);
  assert.equal(kids.length, 2);

  await postgres.stop();
  for (const seconds of [MAX_AGE + 1, ROTATION + 1]) {
    await clock.move(seconds);
    for (const [place, server] of servers.entries()) {
      await eventually("logins are refused", async () => {
        return (await server.login(user)).status === 503 || undefined;
      });
      const { status, headers, text } = await server.jwks();
      assert.deepEqual([status, text], [200, before[place]!.text]);
      assert.equal(headers.get("etag"), before[place]!.headers.get("etag"));
      const held = { "if-none-match": headers.get("etag")! };
      assert.equal((await server.jwks(held)).status, 304);
    }
  }

  await postgres.start();
  for (const server of servers) {
    const token = await eventually("a login succeeds", async () => {
      const { status, json } = await server.login(user);
      return status === 200 ? json.token : undefined;
    });
    assert.equal(kidOf(token), next);
  }
  await using operator = await Operator.open(replicas.env, () => clock.now * 1000);
  await eventually("there is a next key", async () => {
    return (await operator.kids("next")).length === 1 || undefined;
  });
  await assertKeys(replicas, operator);
  assert.deepEqual(await operator.kids("passive"), [signer]);
  // Three at the first start, and one by one of them now.
  const made = servers.map(({ stderr }) => stderr.split('"message":"a key was made"').length - 1);
  assert.equal(made.reduce((sum, count) => sum + count), 4);
});
