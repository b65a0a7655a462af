/** Replicas under load while the key that signs is replaced each second. */

import assert from "node:assert/strict";
import { kidOf } from "../blackbox/commands.ts";
import { ENGINES } from "./engines.ts";
import { form } from "./form.ts";
import { Load } from "./load.ts";
import { Replicas } from "./replicas.ts";
import { assertSound } from "./soundness.ts";

const ROTATIONS = form(6, 60);

/** Between two rotations, in milliseconds. */
const INTERVAL = 1000;

for (const engine of ENGINES) {
  for (const count of form([3], [2, 4])) {
    Deno.test(`${count} replicas on ${engine.name} under load: each token verifies through ${ROTATIONS} forced rotations`, async () => {
      await using replicas = await Replicas.start(engine, count);
      const operator = await replicas.operator();
      const load = new Load(replicas);
      for (let rotation = 0; rotation < ROTATIONS; rotation++) {
        await new Promise((resolve) => setTimeout(resolve, INTERVAL));
        await operator.rotate();
      }
      await load.give(10 * count);
      await load.stop();
      const kids = new Set(load.tokens.map(kidOf));
      assert.equal(kids.size, ROTATIONS + 1);
      await assertSound(replicas, load);
    });
  }
}
