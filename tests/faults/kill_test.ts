/** Processes that are killed while they work: at random moments, and before a system call. */

import assert from "node:assert/strict";
import { Directory, Server, UNLIMITED } from "../blackbox/harness.ts";
import { Program } from "../blackbox/process.ts";
import { Acknowledged } from "./acknowledged.ts";
import { form } from "./form.ts";
import { CHEAP_KEYS, fill, Restarted } from "./restarted.ts";
import { canTrace, tampering } from "./syscalls.ts";

/** How often a server is killed at a random moment. */
const KILLS = form(10, 200);

/** The longest that it works before, in milliseconds. */
const WORK = 500;

const env = { ...CHEAP_KEYS, ...UNLIMITED };

Deno.test(`a server killed at ${KILLS} random moments under load keeps everything it has answered`, async () => {
  await using directory = new Directory();
  await fill(directory);
  let count = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const acknowledged = new Acknowledged();
    await using operator = await Restarted.start(directory);
    await using server = await Server.start({ directory, env });
    const moment = Math.random() * WORK;
    const work = Promise.all([1, 2, 3, 4].map(() => acknowledged.work(server)));
    const rotation = sleep(moment / 2).then(() => acknowledged.rotate(operator));
    await sleep(moment);
    await server.kill();
    await Promise.all([work, rotation]);
    await using found = await Restarted.start(directory);
    await acknowledged.assertIn(found);
    count += acknowledged.count;
  }
  assert.ok(count > KILLS, `${count} answers`);
});

/** Where processes are killed: before so many calls of a kind on the database, its log and secret. */
type Step = readonly [call: string, nth: number];

const SERVER_STEPS = form<Step[]>(
  [["pwrite64", 4], ["fsync", 5]],
  steps({ pwrite64: 60, fsync: 16 }),
);
const FIRST_START_STEPS = form<Step[]>(
  [["pwrite64", 20], ["fsync", 3]],
  steps({ openat: 4, pwrite64: 60, fsync: 10, ftruncate: 1 }),
);
const REKEY_STEPS = form<Step[]>(
  [["rename", 1], ["fsync", 1]],
  steps({ openat: 6, rename: 1, unlink: 2, pwrite64: 7, fsync: 4 }),
);

function steps(counts: Record<string, number>): Step[] {
  return Object.entries(counts).flatMap(([call, count]) =>
    Array.from({ length: count }, (_, place): Step => [call, place + 1])
  );
}

/** Kills a process in a directory before a step; files are renamed whose names nobody knows. */
function killing({ path, database }: Directory, [call, nth]: Step): string[] {
  const files = call === "rename" ? [] : [path, database, `${database}-wal`, `${database}.key`];
  return tampering(call, `signal=KILL:when=${nth}`, files);
}

/** The exit code of a process that SIGKILL has ended. */
const KILLED = 137;

/** Starts a server that is killed before a step, maybe before it listens. */
async function startKilled(directory: Directory, step: Step): Promise<Server | undefined> {
  const wrapper = killing(directory, step);
  return await Server.start({ directory, env, wrapper }).catch((error) => {
    assert.match(error.message, /does not listen/);
    return undefined;
  });
}

for (const step of SERVER_STEPS) {
  killTest(
    `a server killed before ${step.join(" ")} keeps everything it has answered`,
    async () => {
      await using directory = new Directory();
      await fill(directory);
      const acknowledged = new Acknowledged();
      const server = await startKilled(directory, step);
      if (server !== undefined) {
        await acknowledged.work(server);
        assert.equal((await server.ended).code, KILLED);
      }
      await using found = await Restarted.start(directory);
      await acknowledged.assertIn(found);
    },
  );
}

for (const step of FIRST_START_STEPS) {
  killTest(`a first start killed before ${step.join(" ")} is made up for by the next`, async () => {
    await using directory = new Directory();
    const server = await startKilled(directory, step);
    if (server !== undefined) assert.equal((await server.stop()).code, KILLED);
    await using found = await Restarted.start(directory);
    assert.equal(found.allKids.length, 3);
  });
}

for (const step of REKEY_STEPS) {
  killTest(
    `rekey killed before ${step.join(" ")} leaves a secret that opens every key`,
    async () => {
      await using directory = new Directory();
      await fill(directory);
      const wrapper = killing(directory, step);
      const program = new Program(["rekey"], { cwd: directory.path, env: CHEAP_KEYS, wrapper });
      assert.equal((await program.ended).code, KILLED);
      await using found = await Restarted.start(directory);
      assert.equal(found.allKids.length, 3);
    },
  );
}

function killTest(name: string, body: () => Promise<void>): void {
  Deno.test({ name, ignore: !canTrace }, body);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
