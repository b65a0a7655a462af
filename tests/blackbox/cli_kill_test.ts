import assert from "node:assert/strict";
import { listKeys, only, preparedDirectory } from "./commands.ts";
import { type Directory, eventually, freePort, Server } from "./harness.ts";
import { type Outcome, Program } from "./process.ts";

/**
 * How often each command is killed at a random moment. Every single step of `rekey` is stopped at in
 * the tests of `renewSecret`.
 */
const KILLS = 5;

/** Keys that take no time to make, so that what is killed is mostly the writing. */
const CHEAP = { SIGNING_ALG: "ES256" };

function start(directory: Directory, args: readonly string[]): Program {
  return new Program(args, { cwd: directory.path, env: CHEAP });
}

/** How long a command takes, in milliseconds. */
async function duration(directory: Directory, args: readonly string[]): Promise<number> {
  const begin = performance.now();
  assert.equal((await start(directory, args).ended).code, 0);
  return performance.now() - begin;
}

/** Kills a command at a random moment of what it usually takes, and tells when. */
async function killed(directory: Directory, args: readonly string[], usual: number) {
  const moment = Math.random() * usual * 1.1; // some are over by then
  const program = start(directory, args);
  await new Promise((resolve) => setTimeout(resolve, moment));
  program.signal("SIGKILL");
  const outcome: Outcome = await program.ended;
  return { moment: Math.round(moment), outcome };
}

/** The database is sound, its secret opens it, and nothing but the server is missing. */
async function assertHealthy(directory: Directory): Promise<void> {
  const env = { ...CHEAP, PORT: String(freePort()) };
  const { stdout } = await directory.run(["doctor", "--json"], { env });
  const findings: { check: string; status: string }[] = JSON.parse(stdout);
  const ill = findings.filter(({ status }) => status !== "ok").map(({ check }) => check);
  assert.deepEqual(ill, ["issuer"], stdout);
}

Deno.test(`rekey killed ${KILLS} times at any moment leaves a database that its secret opens`, async () => {
  await using directory = await preparedDirectory(CHEAP);
  const before = await listKeys(directory, CHEAP);
  const usual = await duration(directory, ["rekey"]);
  for (let i = 0; i < KILLS; i++) {
    const { moment, outcome } = await killed(directory, ["rekey"], usual);
    const after = await listKeys(directory, CHEAP).catch((error) => {
      throw new Error(`killed after ${moment} ms: ${JSON.stringify(outcome)}`, { cause: error });
    });
    assert.deepEqual(after, before, `killed after ${moment} ms`);
  }
  assert.equal((await start(directory, ["rekey"]).ended).code, 0);
  await assertHealthy(directory);
});

Deno.test(`keys rotate killed ${KILLS} times at any moment leaves exactly one signer`, async () => {
  await using directory = await preparedDirectory(CHEAP);
  const args = ["keys", "rotate", "--force"];
  const usual = await duration(directory, args);
  for (let i = 0; i < KILLS; i++) {
    const before = await signers(directory);
    if (before.next === undefined) before.next = await made(directory);
    const { moment } = await killed(directory, args, usual);
    const { active } = await signers(directory);
    assert.ok(
      active === before.active || active === before.next,
      `killed after ${moment} ms: ${active} signs, not ${JSON.stringify(before)}`,
    );
  }
  await made(directory);
  await assertHealthy(directory);
});

/** The key that signs and the one that will; killed after the rotation, the command makes none. */
async function signers(
  directory: Directory,
): Promise<{ active: string; next: string | undefined }> {
  const keys = await listKeys(directory, CHEAP);
  assert.equal(keys.filter(({ signer }) => signer).length, 1);
  const waiting = keys.filter(({ state }) => state === "next");
  assert.ok(waiting.length <= 1);
  return { active: only(keys, "active").kid, next: waiting[0]?.kid };
}

/** The next key, which a server makes when it is missing. */
async function made(directory: Directory): Promise<string> {
  await using _server = await Server.start({ directory, env: CHEAP });
  return await eventually("there is a next key", async () => (await signers(directory)).next);
}
