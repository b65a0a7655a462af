/** Replicas whose clocks are five minutes apart, to both sides of the true time. */

import assert from "node:assert/strict";
import { kidOf, NOTICED, publishedKids, verify } from "../blackbox/commands.ts";
import { Directory, eventually } from "../blackbox/harness.ts";
import { canMoveClocks, MovedClock } from "../faults/moved_clock.ts";
import { type Engine, ENGINES } from "./engines.ts";
import { form } from "./form.ts";
import { Load } from "./load.ts";
import { Replicas } from "./replicas.ts";
import { assertSound } from "./soundness.ts";

/** How far each clock is ahead of the true time, in seconds. */
const AHEAD = [-300, 0, 300];

const ROTATIONS = form(4, 30);

/** Logins between two rotations. */
const LOGINS = 20;

/** Starts a replica for each clock. */
async function startApart(engine: Engine, directory: Directory): Promise<Replicas> {
  const clocks = await Promise.all(AHEAD.map(async (seconds, place) => {
    const clock = await MovedClock.at(`${directory.path}/${place}`);
    await clock.move(seconds);
    return clock.env;
  }));
  return await Replicas.start(engine, clocks);
}

for (const engine of ENGINES) {
  Deno.test({
    name:
      `replicas on ${engine.name} whose clocks are 5 minutes apart give tokens that verify at each`,
    ignore: !canMoveClocks,
  }, async () => {
    await using aside = new Directory();
    await using replicas = await startApart(engine, aside);
    const operator = await replicas.operator();
    const load = new Load(replicas);
    for (let rotation = 0; rotation < ROTATIONS; rotation++) {
      await load.give(LOGINS);
      await operator.rotate();
    }
    await load.give(LOGINS);
    await load.stop();
    await assertSound(replicas, load, { skew: Math.max(...AHEAD) });
  });

  Deno.test({
    name: `a key that is revoked signs at no replica on ${engine.name}, whatever its clock says`,
    ignore: !canMoveClocks,
  }, async () => {
    await using aside = new Directory();
    await using replicas = await startApart(engine, aside);
    const operator = await replicas.operator();
    const user = await replicas.servers[0]!.register();
    for (let revocation = 0; revocation < ROTATIONS; revocation++) {
      const leaked = kidOf(await replicas.servers[revocation % AHEAD.length]!.token(user));
      await operator.revoke(leaked);
      for (const server of replicas.servers) {
        const kid = await verify(server, await server.token(user));
        assert.notEqual(kid, leaked);
        await eventually("it is gone from the JWKS", async () => {
          return !(await publishedKids(server)).includes(leaked) || undefined;
        }, NOTICED);
      }
    }
  });
}
