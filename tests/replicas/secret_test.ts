/** Replicas that do not have the secret of the others. */

import assert from "node:assert/strict";
import { Directory } from "../blackbox/harness.ts";
import { ENGINES } from "./engines.ts";
import { Replicas } from "./replicas.ts";
import { assertKeys } from "./soundness.ts";

/** The exit code of a configuration that cannot be (EX_CONFIG). */
const CONFIGURATION = 78;

for (const engine of ENGINES) {
  Deno.test(`a replica on ${engine.name} with another secret is refused, and the others go on`, async () => {
    await using replicas = await Replicas.start(engine, 2);
    await using directory = new Directory();
    const before = await (await replicas.operator()).keys();
    const env = { ...replicas.env, NOT_MY_KEY: "the secret of somebody else", PORT: "0" };
    const { code, stdout, stderr } = await directory.run([], { env });
    assert.deepEqual([code, stdout], [CONFIGURATION, ""]);
    assert.match(stderr, /^jwks-server: error: .*secret/m);
    assert.deepEqual(await directory.files(), new Map());
    const after = await (await replicas.operator()).keys();
    assert.deepEqual(
      after.map(({ kid, exp }) => [kid, exp]),
      before.map(({ kid, exp }) => [kid, exp]),
    );
    await assertKeys(replicas, await replicas.operator());
    const user = await replicas.servers[0]!.register();
    for (const server of replicas.servers) await server.token(user);
  });
}
