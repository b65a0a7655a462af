/** What starts, commands and logins do on disks that cannot be written. */

import assert from "node:assert/strict";
import {
  contents,
  preparedDirectory,
  refused,
  runtimeVersion,
  startSettled,
  WITH_SECRET,
} from "./commands.ts";
import { Directory, eventually, Server } from "./harness.ts";
import { say } from "./skip.ts";
import { canMount, FAULTS, inside, wrapper } from "./small_disk.ts";

/** Without a place for SQLite's log, the database is read into memory, which older runtimes cannot. */
const [, minor] = await runtimeVersion();
const canReadWithoutLog = minor >= 9;
if (!canReadWithoutLog) await say("databases without a log on such disks", "Deno 2.9");

/** A directory in which `seed` has the files of a stopped or killed server with one user. */
async function seeded(signal: "SIGTERM" | "SIGKILL") {
  const directory = new Directory();
  await Deno.mkdir(`${directory.path}/disk`);
  await using server = await startSettled();
  const user = await server.register();
  await server.stop(signal);
  await Deno.mkdir(`${directory.path}/seed`);
  for (const [name, bytes] of await server.directory.files()) {
    await Deno.writeFile(`${directory.path}/seed/${name}`, bytes, { mode: 0o600 });
  }
  return { directory, user };
}

const env = { ...WITH_SECRET, DATABASE: "disk/totally_not_my_privateKeys.db" };

for (const [fault, [spoil, mend]] of Object.entries(FAULTS)) {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const name =
      `started on a ${fault} disk after a ${signal}, it serves the JWKS, refuses logins ` +
      "with 503, names the cause, and recovers by itself";
    const ignore = !canMount || (signal === "SIGTERM" && !canReadWithoutLog);
    Deno.test({ name, ignore }, async () => {
      const { directory, user } = await seeded(signal);
      await using _ = directory;
      await using server = await Server.start({ directory, env, wrapper: wrapper(spoil) });
      assert.equal((await server.jwks()).json.keys.length, 2);
      const refused = await server.login(user);
      assert.deepEqual([refused.status, refused.json.error], [503, "overloaded"]);
      assert.match(refused.headers.get("retry-after")!, /^[1-9]\d*$/);
      assert.equal((await server.request("/readyz")).status, 503);
      await eventually(`the log says ${fault}`, () => {
        return server.stderr.includes(`"fault":"${fault}"`) ? true : undefined;
      });
      await inside(server, mend);
      await eventually("it issues tokens again", async () => {
        return (await server.login(user)).status === 200 ? true : undefined;
      });
      await eventually("it is ready again", async () => {
        return (await server.request("/readyz")).status === 200 ? true : undefined;
      });
      assert.equal((await server.login({ ...user, password: "wrong" })).status, 401);
      assert.equal((await server.stop()).code, 0);
    });
  }
}

for (const fault of Object.keys(FAULTS) as (keyof typeof FAULTS)[]) {
  Deno.test({
    name: `a new database on a ${fault} disk is refused with the cause`,
    ignore: !canMount,
  }, async () => {
    await using directory = new Directory();
    await Deno.mkdir(`${directory.path}/disk`);
    await Deno.mkdir(`${directory.path}/seed`);
    await Deno.writeTextFile(`${directory.path}/seed/note`, "so that there is a file");
    const start = directory.run([], {
      env: { ...env, PORT: "0" },
      wrapper: wrapper(FAULTS[fault][0]),
    });
    const { code, stderr } = await start;
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`jwks-server: error: the database is ${fault}`));
  });

  Deno.test({
    name: `doctor calls a database on a ${fault} disk sound, and the disk the problem`,
    ignore: !canMount || !canReadWithoutLog,
  }, async () => {
    const { directory } = await seeded("SIGTERM");
    await using _ = directory;
    const { code, stdout } = await directory.run(["doctor"], {
      env: { ...env, PORT: "1" },
      wrapper: wrapper(FAULTS[fault][0]),
    });
    assert.equal(code, 1);
    assert.match(stdout, /^ok {7}database: sound/m);
    assert.match(stdout, new RegExp(`^problem  disk: ${fault}\n +make it writable`, "m"));
    assert.ok(!stdout.includes("backup"), stdout);
  });
}

const WITHOUT_TOUCH =
  "a DATABASE that is a device is refused, and its mode and content are left alone";
Deno.test(WITHOUT_TOUCH, async () => {
  for (const device of ["/dev/null", "/dev/zero"]) {
    await using directory = new Directory();
    const before = await Deno.stat(device);
    const args = { env: { ...WITH_SECRET, DATABASE: device, PORT: "0" } };
    await refused(directory, [], 78, /is a device/, args);
    await refused(directory, ["keys", "list"], 78, /is a device/, args);
    const { mode, mtime } = await Deno.stat(device);
    assert.deepEqual([mode, mtime], [before.mode, before.mtime]);
    assert.deepEqual(await contents(directory), {});
  }
});

Deno.test("a database of one byte is refused and left as it was", async () => {
  await using directory = new Directory();
  await Deno.writeTextFile(directory.database, "x");
  await refused(directory, [], 78, /is corrupt/, { env: { ...WITH_SECRET, PORT: "0" } });
  assert.equal(await Deno.readTextFile(directory.database), "x");
});

Deno.test("secrets, keys and backups are neither read from nor written beside devices", async () => {
  await using directory = await preparedDirectory();
  const env = (name: string, value: string) => ({ env: { [name]: value } });
  await refused(
    directory,
    ["keys", "list"],
    78,
    /secret file \/dev\/zero is a device/,
    env("NOT_MY_KEY_FILE", "/dev/zero"),
  );
  await refused(directory, ["rekey", "--secret-file", "/dev/zero"], 78, /is a device/);
  await refused(directory, ["keys", "import", "/dev/zero"], 1, /more than 65536 bytes/);
  await refused(directory, ["backup", "/dev/null"], 1, /\/dev\/null is a device/);
  const { stdout } = await new Deno.Command("ls", { args: ["/dev"] }).output();
  assert.ok(!new TextDecoder().decode(stdout).includes("null."), "a draft of the backup is left");
});

Deno.test("an address that cannot be bound is told before anything is made", async () => {
  await using directory = new Directory();
  const env = { ...WITH_SECRET, HOST: "192.0.2.1", PORT: "0" };
  await refused(directory, [], 1, /cannot listen on 192\.0\.2\.1/, { env });
  assert.deepEqual(await contents(directory), {});
});
