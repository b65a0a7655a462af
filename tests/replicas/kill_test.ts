/** Replicas that are killed one after the other under load. */

import assert from "node:assert/strict";
import type { Server } from "../blackbox/harness.ts";
import { ENGINES } from "./engines.ts";
import { form } from "./form.ts";
import { Load } from "./load.ts";
import { Replicas } from "./replicas.ts";
import { assertRegistered, assertSound } from "./soundness.ts";

const REPLICAS = 3;
const KILLS = form(3, 30);

for (const engine of ENGINES) {
  Deno.test(`replicas on ${engine.name} killed ${KILLS} times under load keep everything they have answered`, async () => {
    await using replicas = await Replicas.start(engine, REPLICAS);
    const operator = await replicas.operator();
    const load = new Load(replicas, { isPublished: false });
    const killed = new Set<Server>();
    for (let kill = 0; kill < KILLS; kill++) {
      await load.give(100 * Math.random());
      const server = replicas.servers[kill % REPLICAS]!;
      killed.add(server);
      await Promise.all([replicas.replace(server), operator.rotate()]);
    }
    await load.give(10 * REPLICAS);
    await load.stop();
    assert.ok(load.told.some(({ status }) => status === 0), "nobody was cut off");
    await assertSound(replicas, load, { killed });
    await assertRegistered(replicas, load);
  });
}
