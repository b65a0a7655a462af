/** Replicas that find an empty database, all at once. */

import assert from "node:assert/strict";
import { ENGINES } from "./engines.ts";
import { form } from "./form.ts";
import { Replicas } from "./replicas.ts";
import { assertKeys } from "./soundness.ts";

const REPLICAS = 4;
const ROUNDS = form(2, 20);

for (const engine of ENGINES) {
  Deno.test(`${REPLICAS} replicas that start at once on an empty ${engine.name} make one set of keys`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const alg = round % 2 === 0 ? "RS256" : "ES256"; // keys that take time to make, and none
      await using replicas = await Replicas.start(engine, REPLICAS, { SIGNING_ALG: alg });
      const operator = await replicas.operator();
      await assertKeys(replicas, operator);
      assert.equal((await operator.keys()).length, 3);
      const user = await replicas.servers[0]!.register();
      for (const server of replicas.servers) await server.token(user);
    }
  });
}
