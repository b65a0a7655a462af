/** A client that is disabled while its logins wait for their passwords to be checked. */

import assert from "node:assert/strict";
import { ENGINES } from "./engines.ts";
import { Replicas } from "./replicas.ts";

/** More than are checked at a time, by far. */
const LOGINS = 24;

/** A check that takes long enough for something to happen meanwhile. */
const env = { ARGON2_MEMORY_KIB: "32768", ARGON2_PASSES: "1", ARGON2_LANES: "1" };

for (const engine of ENGINES) {
  Deno.test(`logins on ${engine.name} whose check is under way when the client is disabled give no token`, async () => {
    await using replicas = await Replicas.start(engine, 2, env);
    const operator = await replicas.operator();
    const [server, other] = replicas.servers;
    const user = await other!.register();
    let isDisabled = false;
    const given = { before: 0, after: 0 };
    const first = Promise.withResolvers<void>();
    const logins = Array.from({ length: LOGINS }, async () => {
      const { status, text } = await server!.login(user);
      assert.ok([200, 401, 503].includes(status), text);
      if (status === 200) given[isDisabled ? "after" : "before"]++;
      first.resolve();
    });
    await first.promise;
    await operator.setDisabled(user.username, true);
    isDisabled = true;
    await Promise.all(logins);
    const most = navigator.hardwareConcurrency; // those that were on their way to the client
    assert.ok(given.before > 0 && given.after <= most, JSON.stringify(given));
    assert.equal(await operator.countLogins(user.username), given.before + given.after);
  });
}
