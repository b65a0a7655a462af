import assert from "node:assert/strict";
import { SECRET, withTempDir } from "../support.ts";
import { type Environment, Workplace } from "./workplace.ts";

const DAY = 86_400_000;

/** Runs `body` where there is no database yet. */
async function withNothing(body: (workplace: Workplace) => Promise<void>): Promise<void> {
  await withTempDir((directory) => body(new Workplace(directory, "")));
}

/** Runs init and gives the lines that it says. */
async function init(workplace: Workplace, env: Environment = {}) {
  const outcome = await workplace.execute(["init"], { SIGNING_ALG: "ES256", ...env });
  if (outcome.error !== undefined) throw outcome.error;
  return { lines: outcome.stdout.trimEnd().split("\n"), stderr: outcome.stderr };
}

async function contents(directory: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { name } of Deno.readDir(directory)) {
    const bytes = await Deno.readFile(`${directory}/${name}`);
    found.set(name, String(bytes));
  }
  return found;
}

Deno.test("init makes database, secret and keys, says where and which, and never the secret", async () => {
  await withNothing(async (workplace) => {
    const { path } = workplace;
    const env = { NOT_MY_KEY: undefined };
    const { lines, stderr } = await init(workplace, env);
    assert.match(stderr, /^jwks-server: warning: a secret was made.*\n$/);
    const secret = (await Deno.readTextFile(`${path}.key`)).trim();
    assert.ok(!lines.join().includes(secret) && !stderr.includes(secret));
    for (const file of [path, `${path}.key`]) {
      assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    }
    const keys = await workplace.keys(env);
    assert.deepEqual(keys.map(({ state }) => state), ["active", "next", "born expired"]);
    const [active, next] = keys as unknown as { kid: string; sign_from: string }[];
    const from = `${next!.sign_from.slice(0, 19).replace("T", " ")}Z`;
    assert.deepEqual(lines, [
      `The database ${path} is made, with keys that the secret in ${path}.key opens: back up both`,
      `Key ${active!.kid} (ES256) signs until ${from}`,
      `Key ${next!.kid} (ES256) is published, and signs from ${from}`,
    ]);
    assert.ok(Math.abs(Date.parse(next!.sign_from) - Date.now() - 30 * DAY) < 60_000);
    assert.deepEqual([...(await contents(workplace.directory)).keys()].sort(), ["db", "db.key"]);
  });
});

Deno.test("init leaves a database that is there as it is, and says so, under any policy of the shell", async () => {
  await withNothing(async (workplace) => {
    await init(workplace, { KEY_ROTATION: "20d" });
    const before = await contents(workplace.directory);
    const { lines, stderr } = await init(workplace);
    assert.equal(stderr, "");
    assert.match(lines[0]!, /was there already, and NOT_MY_KEY opens it: nothing is changed$/);
    assert.match(lines[1]!, /signs until/);
    assert.match(lines[2]!, /is published, and signs from/);
    const { stderr: warning } = await init(workplace, { KEY_ROTATION: "9d" });
    assert.match(warning, /configured otherwise.*KEY_ROTATION is 9d here and 20d there/);
    assert.deepEqual(await contents(workplace.directory), before);
  });
});

Deno.test("init refuses a database that the secret does not open, and changes nothing", async () => {
  await withNothing(async (workplace) => {
    await init(workplace);
    const before = await contents(workplace.directory);
    const env = { NOT_MY_KEY: "another secret, not this one" };
    assert.equal(await workplace.exitCode(["init"], env), 78);
    assert.deepEqual(await contents(workplace.directory), before);
  });
});

Deno.test("init takes the secret from the file that NOT_MY_KEY_FILE names", async () => {
  await withNothing(async (workplace) => {
    const file = `${workplace.directory}/secret`;
    await Deno.writeTextFile(file, SECRET, { mode: 0o600 });
    const env = { NOT_MY_KEY: undefined, NOT_MY_KEY_FILE: file };
    const { lines, stderr } = await init(workplace, env);
    assert.equal(stderr, "");
    assert.ok(lines[0]!.includes(`the secret in ${file} opens`));
    assert.equal((await workplace.keys()).length, 3, "the same secret opens it");
  });
});

Deno.test("init completes a database whose maker never came to its keys", async () => {
  await withNothing(async (workplace) => {
    await init(workplace);
    workplace.tamper((database) => database.run("DELETE FROM keys"));
    assert.match((await init(workplace)).lines[0]!, /is made/);
    assert.equal((await workplace.keys()).length, 3);
  });
});

Deno.test("init leaves the clients of CLIENTS_FILE to the server, and says so", async () => {
  await withNothing(async (workplace) => {
    const file = `${workplace.directory}/not-mounted-yet.json`;
    const { lines } = await init(workplace, { CLIENTS_FILE: file });
    assert.equal(
      lines.at(-1),
      `The clients of ${file} are applied by the server, whenever it starts`,
    );
    assert.equal(await workplace.run(["users", "list"]), "There are no users yet");
  });
});

Deno.test("users and clients can be added after init, and what needs a database names it before", async () => {
  await withNothing(async (workplace) => {
    const add = ["users", "add", "alice", "--email", "alice@example.com"];
    for (const args of [add, ["apply", "clients.json"], ["keys", "list"], ["backup", "copy"]]) {
      const { hints } = await workplace.refused(args);
      assert.match(hints.join(), /jwks-server init makes a database/);
    }
    await init(workplace);
    assert.match(await workplace.run(add), /User alice is registered/);
  });
});
