import assert from "node:assert/strict";
import {
  done,
  kidOf,
  listKeys,
  makeOlder,
  NOTICED,
  only,
  preparedDirectory,
  publishedKids,
  refused,
  startSettled,
  verify,
  WITH_SECRET,
} from "./commands.ts";
import { eventually, Server } from "./harness.ts";
import { keyRows } from "./keys.ts";

const DAY = 86_400;

const prepared = await preparedDirectory();
Deno.test.afterAll(() => prepared[Symbol.asyncDispose]());

async function states(server: Server) {
  const keys = await listKeys(server.directory);
  return { active: only(keys, "active").kid, next: only(keys, "next").kid };
}

Deno.test("keys rotate is refused before the next key is known everywhere, and says until when", async () => {
  await using directory = await prepared.copy();
  const rows = keyRows(directory);
  const { kid } = only(await listKeys(directory), "next");
  const stderr = await refused(directory, ["keys", "rotate"], 1, /not published for long enough/);
  const safe = Date.parse(/before (\S+)$/m.exec(stderr)![1]!);
  assert.ok(Math.abs(safe - Number(kid) - DAY * 1000) <= 1000);
  assert.match(stderr, /^jwks-server: hint: .*--force/m);
  assert.deepEqual(keyRows(directory), rows);
});

Deno.test("the server's KEY_PREPUBLISH decides how long is long enough, not the shell's", async () => {
  await using patient = await prepared.copy();
  await makeOlder(patient, 7 * 60);
  const args = ["keys", "rotate"];
  await refused(patient, args, 1, /not published for long enough/);
  const env = { ...WITH_SECRET, KEY_PREPUBLISH: "6m", JWKS_STALE_IF_ERROR: "0s" };
  const { code, stderr } = await patient.run(args, { env });
  assert.equal(code, 1);
  assert.match(stderr, /^jwks-server: warning: .*KEY_PREPUBLISH is 6m here and 1d there/);
  assert.match(stderr, /^jwks-server: error: .*not published for long enough/m);

  await using quick = await preparedDirectory(env);
  await makeOlder(quick, 7 * 60);
  await done(quick, args);
});

Deno.test("keys rotate needs no force once the next key is known everywhere", async () => {
  await using directory = await prepared.copy();
  await makeOlder(directory, 2 * DAY);
  const before = await listKeys(directory);
  const output = await done(directory, ["keys", "rotate"]);
  assert.ok(output.startsWith(`Key ${only(before, "next").kid} signs from now on`), output);
  const after = await listKeys(directory);
  const [active, passive, next] = (["active", "passive", "next"] as const)
    .map((state) => only(after, state));
  assert.equal(active!.kid, only(before, "next").kid);
  assert.equal(passive!.kid, only(before, "active").kid);
  assert.equal(passive!.sign_until, active!.sign_from);
  assert.equal(next!.sign_from, active!.sign_until);
  assert.equal(passive!.exp, only(before, "active").exp); // no token outlives its key
  await refused(directory, ["keys", "rotate"], 1, /not published for long enough/);
});

Deno.test("after keys rotate --force the server signs with the next key and publishes both", async () => {
  await using server = await startSettled();
  const user = await server.register();
  const old = await server.token(user);
  const before = await states(server);
  assert.equal(await verify(server, old), before.active);
  await done(server.directory, ["keys", "rotate", "--force"]);
  const token = await server.token(user); // with no second of grace: the database has the last word
  assert.equal(kidOf(token), before.next);
  const after = await states(server);
  await eventually("the new next key is published", async () => {
    return (await publishedKids(server)).includes(after.next) ? true : undefined;
  }, NOTICED);
  assert.equal(await verify(server, token), before.next);
  assert.equal(await verify(server, old), before.active);
  assert.deepEqual(
    (await publishedKids(server)).sort(),
    [before.active, before.next, after.next].sort(),
  );
});

Deno.test("a revoked signer never signs again, has left the JWKS, and the next key took over", async () => {
  await using server = await startSettled();
  const user = await server.register();
  const old = await server.token(user);
  const before = await states(server);
  const output = await done(server.directory, ["keys", "revoke", before.active]);
  const token = await server.token(user);
  assert.equal(kidOf(token), before.next);
  await eventually("the revoked key has left the JWKS", async () => {
    return (await publishedKids(server)).includes(before.active) ? undefined : true;
  }, NOTICED);
  assert.equal(await verify(server, token), before.next);
  await assert.rejects(verify(server, old), { code: "ERR_JWKS_NO_MATCHING_KEY" });

  assert.match(output, new RegExp(`^Key ${before.active} is revoked`));
  assert.match(output, /cache.* 300 seconds/); // the truth about verifiers
  assert.match(output, new RegExp(`Key ${before.next} signs from now on`));
  assert.match(output, /at most 1 token /);
  const revoked = (await listKeys(server.directory)).find(({ kid }) => kid === before.active)!;
  assert.deepEqual([revoked.state, revoked.signer], ["revoked", false]);
  await refused(server.directory, ["keys", "revoke", before.active], 1, /revoked already/);
});

Deno.test("a revoked key stays revoked after a restart", async () => {
  await using directory = await prepared.copy();
  const { kid } = only(await listKeys(directory), "active");
  await done(directory, ["keys", "revoke", kid]);
  await using server = await Server.start({ directory, env: WITH_SECRET });
  assert.ok(!(await publishedKids(server)).includes(kid));
  assert.notEqual(kidOf(await server.token(await server.register())), kid);
});

Deno.test("revoking the next key makes another one, and the signer goes on", async () => {
  await using server = await startSettled();
  const before = await states(server);
  const output = await done(server.directory, ["keys", "revoke", before.next]);
  assert.ok(!output.includes("signs from now on"), output);
  const after = await states(server);
  assert.equal(after.active, before.active);
  assert.notEqual(after.next, before.next);
  await eventually("the JWKS has the new next key in its place", async () => {
    const kids = await publishedKids(server);
    return kids.includes(after.next) && !kids.includes(before.next) ? true : undefined;
  }, NOTICED);
});

Deno.test("one key after the other may be revoked, and there is always one that signs", async () => {
  await using server = await startSettled();
  const user = await server.register();
  for (let i = 0; i < 4; i++) {
    const { active, next } = await states(server);
    await done(server.directory, ["keys", "revoke", active]);
    assert.equal(kidOf(await server.token(user)), next);
  }
});
