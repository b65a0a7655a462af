/** Replicas whose keys are sealed under another secret while they run. */

import assert from "node:assert/strict";
import { kidOf, NOTICED, SECRET, verify } from "../blackbox/commands.ts";
import { Directory, eventually, type Server } from "../blackbox/harness.ts";
import type { Environment } from "../blackbox/process.ts";
import { ENGINES } from "./engines.ts";
import { Load } from "./load.ts";
import { Operator } from "./operator.ts";
import { Replicas } from "./replicas.ts";
import { assertKeys } from "./soundness.ts";

const NEW_SECRET = "a new secret for tests only";

/** What the log says of a process that does not have the new secret, and of one that has it. */
const STAYS = "this process goes on with the keys it holds";
const FOLLOWS = "this process goes on under the new one";

for (const engine of ENGINES) {
  Deno.test(`replicas on ${engine.name} that lack the new secret say so and go on with what they hold`, async () => {
    await using replicas = await Replicas.start(engine, 2);
    const [server] = replicas.servers as [Server];
    const user = await server.register();
    const signer = kidOf(await server.token(user));
    const before = await server.jwks();
    const load = new Load(replicas);
    await rekey(replicas.env);
    await sayAll(replicas, STAYS);
    await load.give(20);
    await load.stop();
    for (const { status } of load.told) assert.ok(status === 200 || status === 201, `${status}`);
    const [fresh] = await replicas.add([{ NOT_MY_KEY: NEW_SECRET }]) as [Server];
    for (const one of replicas.servers) {
      assert.equal((await one.jwks()).headers.get("etag"), before.headers.get("etag"));
      assert.equal(await verify(fresh, await one.token(user)), signer);
    }
  });

  Deno.test(`replicas on ${engine.name} whose secret's file is replaced go on under the new secret`, async () => {
    await using directory = new Directory();
    const file = `${directory.path}/secret`;
    await writeSecret(file, SECRET);
    await using replicas = await Replicas.start(engine, 2, { NOT_MY_KEY_FILE: file });
    const load = new Load(replicas);
    await load.give(10);
    await rekey(replicas.env);
    await sayAll(replicas, STAYS);
    await writeSecret(file, NEW_SECRET);
    await sayAll(replicas, FOLLOWS);
    await using operator = await Operator.open(replicas.env);
    const [next] = await operator.kids("next");
    await operator.rotate();
    await load.give(10);
    await load.stop();
    for (const { status } of load.told) assert.ok(status === 200 || status === 201, `${status}`);
    assert.ok(load.tokens.map(kidOf).includes(next!), "they do not follow a rotation");
    await eventually("there is a next key", async () => {
      return (await operator.kids("next")).length === 1 || undefined;
    }, NOTICED);
    await assertKeys(replicas, operator);
  });
}

/** Seals the keys under `NEW_SECRET`. */
async function rekey(env: Environment): Promise<void> {
  await using directory = new Directory();
  const outcome = await directory.run(["rekey"], { env: { ...env, NEW_NOT_MY_KEY: NEW_SECRET } });
  assert.equal(outcome.code, 0, outcome.stderr);
}

/** Waits until every replica has said this. */
async function sayAll({ servers }: Replicas, what: string): Promise<void> {
  for (const server of servers) {
    await eventually(what, () => server.stderr.includes(what) || undefined, NOTICED);
  }
}

/** Puts a secret into a file, at one moment. */
async function writeSecret(file: string, secret: string): Promise<void> {
  await Deno.writeTextFile(`${file}.new`, `${secret}\n`, { mode: 0o600 });
  await Deno.rename(`${file}.new`, file);
}
