/** A replica that stands still for an hour while the others go on. */

import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import { kidOf } from "../blackbox/commands.ts";
import { Directory, eventually, type Server } from "../blackbox/harness.ts";
import type { Credentials } from "../blackbox/client.ts";
import { canMoveClocks, MovedClock } from "../faults/moved_clock.ts";
import { ENGINES } from "./engines.ts";
import { form } from "./form.ts";
import { Operator } from "./operator.ts";
import { freeze, Replicas, thaw } from "./replicas.ts";
import { assertKeys } from "./soundness.ts";

/** In seconds: a key is replaced several times in an hour. */
const ROTATION = 600;
const HOUR = 3600;

/** Requests that wait for the replica when it goes on. */
const WAITING = 8;

const HOURS = form(1, 10);
const REVOCATIONS = form(3, 50);

const env = {
  KEY_ROTATION: `${ROTATION}s`,
  KEY_PREPUBLISH: "360s",
  JWKS_STALE_IF_ERROR: "0s",
  TOKEN_TTL: "10m",
};

for (const engine of ENGINES) {
  Deno.test({
    name:
      `a replica on ${engine.name} that was frozen for an hour signs with the key whose turn it is`,
    ignore: !canMoveClocks,
  }, async () => {
    await using aside = new Directory();
    const clock = await MovedClock.at(`${aside.path}/clock`);
    await using replicas = await Replicas.start(engine, 3, { ...env, ...clock.env });
    await using operator = await Operator.open(replicas.env, () => clock.now * 1000);
    const [frozen, ...others] = replicas.servers as [Server, Server, Server];
    const user = await frozen.register();
    for (let rotation = 1; rotation <= HOURS * HOUR / ROTATION; rotation++) {
      const isFirst = rotation % (HOUR / ROTATION) === 1;
      if (isFirst) await freeze(frozen);
      await clock.move(rotation * ROTATION);
      await follow(others, user, operator);
      if (rotation % (HOUR / ROTATION) > 0) continue;
      const waiting = Array.from({ length: WAITING }, () => frozen.token(user));
      thaw(frozen);
      const signers = await operator.kids("active");
      for (const token of await Promise.all(waiting)) {
        assert.deepEqual([kidOf(token)], signers);
        assert.ok(Math.abs(decodeJwt(token).iat! - clock.now) <= 2, "it goes by another clock");
      }
      await assertKeys(replicas, operator);
    }
  });

  Deno.test(`a replica on ${engine.name} that is frozen while its key is revoked never signs with it again`, async () => {
    await using replicas = await Replicas.start(engine, 2);
    const operator = await replicas.operator();
    const [frozen] = replicas.servers as [Server, Server];
    const user = await frozen.register();
    for (let revocation = 0; revocation < REVOCATIONS; revocation++) {
      const leaked = kidOf(await frozen.token(user));
      const before = Array.from({ length: WAITING }, () => frozen.token(user));
      await freeze(frozen);
      await operator.revoke(leaked);
      const after = Array.from({ length: WAITING }, () => frozen.token(user));
      thaw(frozen);
      for (const token of await Promise.all(after)) assert.notEqual(kidOf(token), leaked);
      await Promise.all(before);
    }
  });
}

/** Waits until the replicas have a key that signs and a next one. */
async function follow(
  servers: readonly Server[],
  user: Credentials,
  operator: Operator,
): Promise<void> {
  await eventually("one key signs and one is next", async () => {
    for (const server of servers) await server.token(user);
    const [active, next] = [await operator.kids("active"), await operator.kids("next")];
    return active.length === 1 && next.length === 1 || undefined;
  });
}
