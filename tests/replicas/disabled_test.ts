/** A client that is disabled while its logins wait for their passwords to be checked. */

import assert from "node:assert/strict";
import { ENGINES } from "./engines.ts";
import type { Operator } from "./operator.ts";
import { Replicas } from "./replicas.ts";

/** More than are checked at a time, by far. */
const LOGINS = 24;

/** As many as are checked at a time may be on their way to the client. */
const AT_A_TIME = navigator.hardwareConcurrency;

/** How often it is tried to disable a client in time. */
const ATTEMPTS = 10;

/** A check that takes long enough for something to happen meanwhile. */
const env = { ARGON2_MEMORY_KIB: "65536", ARGON2_PASSES: "2", ARGON2_LANES: "1" };

for (const engine of ENGINES) {
  Deno.test(`logins on ${engine.name} whose check is under way when the client is disabled give no token`, async () => {
    await using replicas = await Replicas.start(engine, 2, env);
    const operator = await replicas.operator();
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { before, after } = await disableMeanwhile(replicas, operator);
      assert.ok(after <= AT_A_TIME, `${after} logins after that`);
      if (before < LOGINS - AT_A_TIME) return;
    }
    assert.fail("the checks are over too soon");
  });
}

/** Gives how many logins were on record when the client was disabled, and how many came after that. */
async function disableMeanwhile(
  { servers: [server, other] }: Replicas,
  operator: Operator,
): Promise<{ before: number; after: number }> {
  const user = await other!.register();
  const logins = Array.from({ length: LOGINS }, () => server!.login(user));
  await Promise.race(logins); // by then, all have found the client enabled
  await operator.setDisabled(user.username, true);
  const before = await operator.countLogins(user.username);
  const statuses = (await Promise.all(logins)).map(({ status }) => status);
  assert.deepEqual(statuses.filter((status) => ![200, 401, 503].includes(status)), []);
  const rows = await operator.countLogins(user.username);
  assert.equal(rows, statuses.filter((status) => status === 200).length);
  return { before, after: rows - before };
}
