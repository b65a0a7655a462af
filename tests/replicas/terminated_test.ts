/** Replicas whose connections to PostgreSQL are ended, again and again. */

import { hasPostgres } from "../servers/postgres.ts";
import { form } from "./form.ts";
import { Load } from "./load.ts";
import { Site } from "./site.ts";
import { assertRegistered, assertSound } from "./soundness.ts";
import { Verifiers } from "./verifiers.ts";

const ROUNDS = form(10, 200);

/** Tokens that are given between two rounds. */
const TOKENS = 20;

Deno.test({
  name: "replicas whose connections are all ended under load refuse nobody",
  ignore: !await hasPostgres("how replicas go on when their connections are ended"),
}, async () => {
  await using site = await Site.start();
  const { replicas, postgres } = site;
  const load = new Load(replicas, { clients: 8 });
  const verifiers = new Verifiers(replicas);
  for (let round = 0; round < ROUNDS; round++) {
    await load.give(TOKENS * Math.random());
    await postgres.terminateAll();
  }
  await load.give(TOKENS);
  await load.stop();
  await verifiers.stop();
  await assertSound(replicas, load);
  await assertRegistered(replicas, load);
});
