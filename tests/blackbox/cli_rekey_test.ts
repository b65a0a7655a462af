import assert from "node:assert/strict";
import { compactDecrypt } from "jose";
import {
  assertRefusal,
  done,
  keyEncryptionKey,
  kidOf,
  listKeys,
  NOTICED,
  only,
  preparedDirectory,
  publishedKids,
  refused,
  SECRET,
  startSettled,
  verify,
  WITH_SECRET,
} from "./commands.ts";
import { type Directory, eventually, Server } from "./harness.ts";
import { keyRows, settled } from "./keys.ts";

const NEW_SECRET = "a new secret for tests only";
const WITH_NEW = { NOT_MY_KEY: NEW_SECRET };

const prepared = await preparedDirectory();
const generated = await preparedDirectory({}); // its secret was made by the server
Deno.test.afterAll(async () => {
  await prepared[Symbol.asyncDispose]();
  await generated[Symbol.asyncDispose]();
});

/** How many keys the secret that the server made, or that replaced it, opens. */
async function opened(directory: Directory): Promise<number> {
  return (await listKeys(directory, {})).length;
}

function secretOf(directory: Directory): Promise<string> {
  return Deno.readTextFile(`${directory.database}.key`);
}

async function assertOldSecretIsRefused(directory: Directory): Promise<void> {
  await refused(directory, ["keys", "list"], 78, /the secret is not the one/);
  await refused(directory, [], 78, /the secret is not the one/, {
    env: { ...WITH_SECRET, PORT: "0" },
  });
}

Deno.test("rekey under NEW_NOT_MY_KEY keeps every key and lets nothing open with the old secret", async () => {
  await using directory = await prepared.copy();
  const before = await listKeys(directory);
  const rows = keyRows(directory);
  const env = { ...WITH_SECRET, NEW_NOT_MY_KEY: NEW_SECRET };
  const output = await done(directory, ["rekey"], { env });
  assert.match(output, /^3 keys are sealed under the new secret$/m);
  assert.ok(!output.includes(NEW_SECRET));
  assert.deepEqual(await listKeys(directory, WITH_NEW), before);
  for (const { kid, key } of keyRows(directory)) {
    assert.notDeepEqual(key, rows.find((row) => row.kid === kid)!.key);
  }
  await assertOldSecretIsRefused(directory);
});

Deno.test("after rekey nothing that the old secret opens is left in the files", async () => {
  await using directory = await prepared.copy();
  await done(directory, ["keys", "rotate", "--force"]);
  await done(directory, ["keys", "revoke", only(await listKeys(directory), "next").kid]);
  const old = await keyEncryptionKey(directory);
  await done(directory, ["rekey"], { env: { ...WITH_SECRET, NEW_NOT_MY_KEY: NEW_SECRET } });
  const sealed = /eyJ[\w-]+\.\.[\w-]{16}\.[\w-]+\.[\w-]{22}/g;
  let found = 0;
  for (const [name, bytes] of await directory.files()) {
    for (const [jwe] of new TextDecoder("latin1").decode(bytes).matchAll(sealed)) {
      found++;
      const opens = await compactDecrypt(jwe, old).then(() => true, () => false);
      assert.ok(!opens, name);
    }
  }
  assert.ok(found > keyRows(directory).length, "the search finds what is there: keys and check");
});

Deno.test("rekey --secret-file takes the secret of the file and says how to start with it", async () => {
  await using directory = await prepared.copy();
  const before = await listKeys(directory);
  await Deno.writeTextFile(`${directory.path}/next`, `${NEW_SECRET}\n`, { mode: 0o600 });
  const output = await done(directory, ["rekey", "--secret-file", "next"]);
  assert.match(output, /NOT_MY_KEY_FILE=next/);
  assert.deepEqual(await listKeys(directory, { NOT_MY_KEY_FILE: "next" }), before);
  await assertOldSecretIsRefused(directory);
});

Deno.test("rekey without a secret makes one, for its user's eyes only, in the old one's place", async () => {
  await using directory = await generated.copy();
  const old = await secretOf(directory);
  const output = await done(directory, ["rekey"], { env: {} });
  const secret = (await secretOf(directory)).trim();
  assert.match(secret, /^[\w-]{43}$/);
  assert.notEqual(secret, old.trim());
  assert.ok(!output.includes(secret));
  assert.equal((await Deno.stat(`${directory.database}.key`)).mode! & 0o777, 0o600);
  assert.equal(await opened(directory), 3);
  const env = { NOT_MY_KEY: old.trim() };
  await refused(directory, ["keys", "list"], 78, /the secret is not the one/, { env });
  const [, kept] = /old secret is kept in (\S+): backups made before need it/.exec(output) ?? [];
  assert.match(kept!, /^totally_not_my_privateKeys\.db\.key\.old-[0-9a-f]{8}$/);
  assert.equal(await Deno.readTextFile(`${directory.path}/${kept}`), old);
  assert.equal((await Deno.stat(`${directory.path}/${kept}`)).mode! & 0o777, 0o600);
  const names = [...(await directory.files()).keys()].filter((name) => !/-(wal|shm)$/.test(name));
  assert.equal(names.length, 3, names.join()); // no other secret lies about
});

Deno.test("a backup made before rekey opens with the secret that rekey has kept", async () => {
  await using directory = await generated.copy();
  const before = await listKeys(directory, {});
  await done(directory, ["backup", "yesterday"], { env: {} });
  await done(directory, ["rekey"], { env: {} });
  await done(directory, ["rekey"], { env: {} });
  for (const suffix of ["-wal", "-shm"]) {
    await Deno.remove(directory.database + suffix).catch(() => {}); // not there after a clean end
  }
  await Deno.rename(`${directory.path}/yesterday`, directory.database);
  const { code, stdout, stderr } = await directory.run(["keys", "list", "--json"]);
  assert.deepEqual([code, JSON.parse(stdout)], [0, before]);
  assert.match(stderr, /^jwks-server: warning: the database is an older one.*\.old-[0-9a-f]{8}/);
});

Deno.test("a secret that rekey made takes over from NOT_MY_KEY, which must then be unset", async () => {
  await using directory = await prepared.copy();
  const output = await done(directory, ["rekey"]);
  assert.match(output, /new secret is in totally_not_my_privateKeys\.db\.key.*without NOT_MY_KEY/s);
  assert.equal(await opened(directory), 3);
  await assertOldSecretIsRefused(directory);
});

Deno.test("rekey refuses a secret that is none, with nothing changed", async () => {
  await using directory = await prepared.copy();
  await Deno.writeTextFile(`${directory.path}/next`, "too short");
  const rows = keyRows(directory);
  const rekey = (code: number, reason: RegExp, env: Record<string, string>, ...args: string[]) =>
    refused(directory, ["rekey", ...args], code, reason, { env: { ...WITH_SECRET, ...env } });
  await rekey(
    78,
    /NEW_NOT_MY_KEY is a value that is not shown; allowed is a secret of at least 16 bytes/,
    { NEW_NOT_MY_KEY: "fifteen bytes.." },
  );
  await rekey(78, /NEW_NOT_MY_KEY is empty/, { NEW_NOT_MY_KEY: "" });
  await rekey(78, /shorter than 16 bytes/, {}, "--secret-file", "next");
  await rekey(78, /absent does not exist/, {}, "--secret-file", "absent");
  await rekey(1, /the new secret is the one in use/, { NEW_NOT_MY_KEY: SECRET });
  await rekey(2, /both given/, { NEW_NOT_MY_KEY: NEW_SECRET }, "--secret-file", "next");
  assert.deepEqual(keyRows(directory), rows);
});

Deno.test("of two rekeys at once that make secrets, the one that stays opens the database", async () => {
  await using directory = await generated.copy();
  for (let i = 0; i < 4; i++) {
    const outcomes = await Promise.all([1, 2].map(() => directory.run(["rekey"])));
    assert.ok(outcomes.some(({ code }) => code === 0));
    assert.equal(await opened(directory), 3);
  }
});

Deno.test("a command that starts while rekey is at work shows every key, or says to start again", async () => {
  await using directory = await generated.copy();
  const rekey = directory.run(["rekey"]);
  const listings = await Promise.all([0, 20, 40, 60, 80, 100].map(async (delay) => {
    await new Promise((resolve) => setTimeout(resolve, delay));
    return await directory.run(["keys", "list", "--json"]);
  }));
  assert.equal((await rekey).code, 0);
  const shown = listings.filter(({ code }) => code === 0);
  assert.ok(shown.length > 0, "none of them succeeded");
  for (const { stdout } of shown) assert.equal(JSON.parse(stdout).length, 3);
  for (const listing of listings.filter((other) => !shown.includes(other))) {
    assertRefusal(listing, 78, /the secret/);
  }
  assert.equal(await opened(directory), 3);
});

Deno.test("a server that reads its secret from a file goes on by itself after rekey", async () => {
  await using server = await Server.start();
  await settled(server);
  const { directory } = server;
  const user = await server.register();
  const old = await server.token(user);
  await done(directory, ["rekey"], { env: {} });
  assert.equal(kidOf(await server.token(user)), kidOf(old));
  await eventually("it says so", () => {
    const said = /"level":"info","message":"[^"]*goes on under the new one/;
    return said.test(server.stderr) ? true : undefined;
  }, NOTICED);
  const [next] = (await listKeys(directory, {})).filter(({ state }) => state === "next");
  await done(directory, ["keys", "revoke", next!.kid], { env: {} });
  await eventually("it learns of keys that are made under the new secret", async () => {
    const { keys } = (await server.jwks()).json;
    const listed = await listKeys(directory, {});
    const kids = listed.filter(({ state }) => ["active", "next"].includes(state));
    return keys.length === 2 &&
        kids.every(({ kid }) => keys.some((key: { kid: string }) => key.kid === kid))
      ? true
      : undefined;
  }, NOTICED);
  assert.equal(await verify(server, old), kidOf(old));
  assert.ok(!/"level":"error"/.test(server.stderr), server.stderr);
});

Deno.test("a server under the old secret serves what it holds, writes no key, and says so", async () => {
  await using server = await startSettled();
  const { directory } = server;
  const user = await server.register();
  const kids = await publishedKids(server);
  await done(directory, ["rekey"], { env: { ...WITH_SECRET, NEW_NOT_MY_KEY: NEW_SECRET } });
  const rows = keyRows(directory);
  await eventually("it says so", () => {
    const said = /"level":"error","message":"[^"]*secret of the database was changed/;
    return said.test(server.stderr) ? true : undefined;
  }, NOTICED);
  assert.deepEqual(await publishedKids(server), kids);
  assert.ok(kids.includes(await verify(server, await server.token(user))));
  await server.token(await server.register());
  const expired = await server.post("/auth?expired=true", user);
  assert.equal(expired.status, 200);

  // A key is due now that no one under the old secret may make.
  const { kid } = only(await listKeys(directory, WITH_NEW), "next");
  const database = directory.open();
  database.prepare("DELETE FROM keys WHERE kid = ?").run(Number(kid));
  database.close();
  await new Promise((resolve) => setTimeout(resolve, 1500)); // it has looked at the schedule
  assert.deepEqual(keyRows(directory), rows.filter((row) => String(row.kid) !== kid));
  assert.equal(server.stderr.match(/secret of the database was changed/g)!.length, 1);
  assert.ok(!(server.stderr + (await server.stop()).stdout).includes(NEW_SECRET));
});

Deno.test("a key revoked under the new secret never signs again on a server under the old one", async () => {
  await using server = await startSettled();
  const { directory } = server;
  const user = await server.register();
  const kid = kidOf(await server.token(user));
  await done(directory, ["rekey"], { env: { ...WITH_SECRET, NEW_NOT_MY_KEY: NEW_SECRET } });
  assert.equal(kidOf(await server.token(user)), kid);
  await done(directory, ["keys", "revoke", kid], { env: WITH_NEW });
  for (let i = 0; i < 5; i++) {
    assert.notEqual(kidOf(await server.token(user)), kid); // the key that was next signs
  }
  await eventually("it has left the JWKS", async () => {
    return (await publishedKids(server)).includes(kid) ? undefined : true;
  }, NOTICED);
  await server.stop();
  await using restarted = await Server.start({ directory, env: WITH_NEW });
  const token = await restarted.token(user);
  assert.notEqual(await verify(restarted, token), kid);
});
