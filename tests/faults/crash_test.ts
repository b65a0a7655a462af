/**
 * Crashes at every step. A run is recorded once, call by call; then its directory is put together as
 * it was after each call that changed it, for a process that was killed there, and for a machine
 * that lost its power there: without what was not synchronized, or with a random part of it.
 */

import assert from "node:assert/strict";
import { examineDatabase } from "../../lib/storage/sqlite/examination.ts";
import type { Credentials } from "../blackbox/client.ts";
import { done, kidOf } from "../blackbox/commands.ts";
import { Directory, Server, UNLIMITED } from "../blackbox/harness.ts";
import { Program } from "../blackbox/process.ts";
import { SECRET } from "../support.ts";
import { accessToken } from "./acknowledged.ts";
import { form } from "./form.ts";
import { Recording, restore, type Wreck } from "./recording.ts";
import { CHEAP_KEYS, fill, Restarted } from "./restarted.ts";
import { canTrace } from "./syscalls.ts";

/** How many wrecks of each kind are looked at, beside those in which something was said just then. */
const WRECKS = form(15, Infinity);

/** Asserts something of what each crash leaves. */
async function examine(
  recording: Recording,
  check: (found: Restarted, wreck: Wreck) => Promise<void> | void,
  count = WRECKS,
): Promise<void> {
  for (const loss of ["kill", "power", "torn"] as const) {
    const wrecks = recording.wrecks(loss, count);
    assert.ok(wrecks.length > 2, loss);
    for (const wreck of wrecks) {
      await using directory = await restore(wreck);
      try {
        await using found = await Restarted.start(directory);
        await check(found, wreck);
      } catch (error) {
        throw new Error(wreck.what, { cause: error });
      }
    }
  }
}

/** Runs a command, recorded, on a filled directory. */
async function recordCommand(directory: Directory, args: readonly string[]): Promise<Recording> {
  return await Recording.make(directory, async (wrapper) => {
    const env = { ...CHEAP_KEYS };
    const outcome = await new Program(args, { cwd: directory.path, env, wrapper }).ended;
    assert.equal(outcome.code, 0, outcome.stderr);
  });
}

async function filled(): Promise<Directory> {
  const directory = new Directory();
  await fill(directory);
  return directory;
}

function crashTest(name: string, body: () => Promise<void>): void {
  Deno.test({ name: `after a crash at any step of ${name}`, ignore: !canTrace }, body);
}

crashTest("a first start, the next start goes on, with the keys that were served", async () => {
  await using directory = new Directory();
  let kids: string[] = [];
  const recording = await Recording.make(directory, async (wrapper) => {
    await using server = await Server.start({ directory, env: CHEAP_KEYS, wrapper });
    kids = (await server.jwks()).json.keys.map(({ kid }: { kid: string }) => kid);
    await server.stop();
  });
  assert.equal(kids.length, 2);
  await examine(recording, (found, { wasSaid }) => {
    for (const kid of kids) if (wasSaid(kid)) assert.ok(found.allKids.includes(kid), kid);
  }, form(3, Infinity));
});

crashTest("a server at work, everything is there that was answered", async () => {
  await using directory = await filled();
  const users: Credentials[] = [];
  const tokens: { username: string; text: string }[] = [];
  const recording = await Recording.make(directory, async (wrapper) => {
    const env = { ...CHEAP_KEYS, ...UNLIMITED };
    await using server = await Server.start({ directory, env, wrapper });
    for (let round = 0; round < 3; round++) {
      const user = await server.register();
      users.push(user);
      const text = round === 1 ? await accessToken(server, user) : await server.token(user);
      tokens.push({ username: user.username, text });
    }
    const both = users.slice(0, 2).map(async (user) => {
      tokens.push({ username: user.username, text: await server.token(user) });
    });
    await Promise.all(both);
    await server.stop();
  });
  let answered = 0;
  await examine(recording, async (found, { wasSaid }) => {
    for (const user of users) {
      if (wasSaid(user.password)) await found.assertKnows(user);
      const theirs = tokens.filter(({ username, text }) =>
        username === user.username && wasSaid(text)
      );
      assert.ok(found.countLogins(user.username) >= theirs.length, "a token without its row");
      for (const { text } of theirs) assert.ok(found.allKids.includes(kidOf(text)));
      answered += theirs.length;
    }
  });
  assert.ok(answered > 0);
});

crashTest("keys rotate, one key signs: the next one, once the command has said so", async () => {
  await using directory = await filled();
  const [active, next] = await keysOf(directory);
  const recording = await recordCommand(directory, ["keys", "rotate", "--force"]);
  await examine(recording, (found, { wasSaid }) => {
    const [signer] = found.kids("active");
    assert.ok(signer === next || signer === active, String(signer));
    if (wasSaid("signs from now on")) assert.equal(signer, next);
    assert.ok([active, next].every((kid) => found.allKids.includes(kid!)));
  });
});

async function keysOf(directory: Directory): Promise<(string | undefined)[]> {
  await using found = await Restarted.start(directory);
  return [...found.kids("active"), ...found.kids("next")];
}

crashTest("rekey, the secret beside the database opens every key, and backups theirs", async () => {
  await using directory = await filled();
  const before = await keysOf(directory);
  const recording = await recordCommand(directory, ["rekey"]);
  await examine(recording, (found, { files }) => {
    for (const kid of before) assert.ok(found.allKids.includes(kid!), `${kid} is lost`);
    const texts = [...files.values()].map((bytes) => new TextDecoder().decode(bytes));
    assert.ok(texts.includes(`${SECRET}\n`), "the old secret is in no file");
  });
});

crashTest("apply, all of its changes are there or none", async () => {
  await using directory = await filled();
  const args = (file: string) => ["apply", file, "--prune"];
  await done(directory, args(await declare(directory, "before", [1, 2, 3])), { env: CHEAP_KEYS });
  const before = clientsOf(directory);
  const recording = await recordCommand(directory, args(await declare(directory, "after", [3, 4])));
  const after = clientsOf(directory);
  assert.notEqual(after, before);
  const found = new Set<string>();
  await examine(recording, ({ directory }, { wasSaid }) => {
    const clients = clientsOf(directory);
    assert.ok([before, after].includes(clients), clients);
    if (wasSaid("+ client client-4")) assert.equal(clients, after);
    found.add(clients);
  });
  assert.deepEqual(found, new Set([before, after]));
});

/** A file that declares clients of these numbers, each with a policy and a key. */
async function declare(
  { path }: Directory,
  note: string,
  numbers: readonly number[],
): Promise<string> {
  const key = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };
  const clients = numbers.map((number) => ({
    username: `client-${number}`,
    keys: [{ ...key, kid: note }],
    policy: { note },
  }));
  await Deno.writeTextFile(`${path}/${note}.json`, JSON.stringify({ clients }));
  return `${note}.json`;
}

/** What the tables hold of clients, without the times and numbers of rows. */
function clientsOf(directory: Directory): string {
  return JSON.stringify([
    directory.query("SELECT username FROM users ORDER BY username"),
    directory.query("SELECT policy FROM client_policies ORDER BY policy"),
    directory.query("SELECT kid, value FROM client_credentials ORDER BY kid, value"),
    directory.query("SELECT count(*) FROM tombstones"),
  ]);
}

crashTest("backup, the copy is whole or not there, and the database as it was", async () => {
  await using directory = await filled();
  const before = await keysOf(directory);
  const recording = await recordCommand(directory, ["backup", "copy.db"]);
  await examine(recording, async (found, wreck) => {
    assert.deepEqual(found.allKids.length, 3);
    const copy = wreck.files.get("copy.db");
    if (wreck.wasSaid("is a backup")) assert.ok(copy !== undefined, "it was said to be there");
    if (copy === undefined) return;
    await using restored = await restore({
      ...wreck,
      files: new Map([["totally_not_my_privateKeys.db", copy], [
        "totally_not_my_privateKeys.db.key",
        new TextEncoder().encode(SECRET),
      ]]),
    });
    assert.equal(examineDatabase(restored.database).isNew, false);
    assert.deepEqual(await keysOf(restored), before);
  });
});
