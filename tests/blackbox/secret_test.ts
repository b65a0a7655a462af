import assert from "node:assert/strict";
import { Directory, Server } from "./harness.ts";

const SECRET = "a secret for tests only";
const DATABASE = "totally_not_my_privateKeys.db";

async function mode(path: string): Promise<number> {
  return (await Deno.stat(path)).mode! & 0o777;
}

Deno.test("without a secret the server makes one, for its user's eyes only, and says so", async () => {
  await using server = await Server.start({ prelude: "umask 000" });
  const { database } = server.directory;
  const secret = (await Deno.readTextFile(`${database}.key`)).trim();
  assert.match(secret, /^[\w-]{43}$/); // 256 bits
  assert.equal(await mode(`${database}.key`), 0o600);
  for (const { name } of await Array.fromAsync(Deno.readDir(server.directory.path))) {
    assert.equal(await mode(`${server.directory.path}/${name}`), 0o600, name);
  }
  const { stderr } = await server.stop();
  assert.match(stderr, new RegExp(`"level":"warn".*${DATABASE}\\.key`));
  assert.ok(!stderr.includes(secret));
});

Deno.test("the secret that was made is used again, and never replaced", async () => {
  await using directory = new Directory();
  const first = await Server.start({ directory });
  const user = await first.register();
  await first.stop();
  const secret = await Deno.readTextFile(`${directory.database}.key`);
  await using second = await Server.start({ directory });
  await second.token(user);
  assert.equal(await Deno.readTextFile(`${directory.database}.key`), secret);
});

Deno.test("an existing database without its secret is refused and left as it was", async () => {
  await using directory = new Directory();
  await (await Server.start({ directory, env: { NOT_MY_KEY: SECRET } })).stop();
  assert.deepEqual([...(await directory.files()).keys()], [DATABASE]); // no secret was made
  const before = await directory.digests();
  const outcome = await directory.run([], { env: { PORT: "0" } });
  assert.equal(outcome.code, 78);
  assert.match(outcome.stderr, /^jwks-server: error: .*there is no secret/m);
  assert.match(outcome.stderr, /^jwks-server: hint: .*NOT_MY_KEY/m);
  assert.deepEqual(await directory.digests(), before);
});

Deno.test("NOT_MY_KEY_FILE and NOT_MY_KEY are two ways to give one secret", async () => {
  await using directory = new Directory();
  await Deno.writeTextFile(`${directory.path}/secret`, `${SECRET}\n`);
  const first = await Server.start({ directory, env: { NOT_MY_KEY_FILE: "secret" } });
  const token = await first.token(await first.register());
  await first.stop();
  await using second = await Server.start({ directory, env: { NOT_MY_KEY: SECRET } });
  const { keys } = (await second.jwks()).json;
  const { kid } = JSON.parse(atob(token.split(".")[0]!));
  assert.ok(keys.some((key: { kid: string }) => key.kid === kid));
});

Deno.test("a secret that is both in the environment and in a file is refused", async () => {
  await using directory = new Directory();
  const env = { PORT: "0", NOT_MY_KEY: SECRET, NOT_MY_KEY_FILE: "secret" };
  const outcome = await directory.run([], { env });
  assert.equal(outcome.code, 78);
  assert.match(outcome.stderr, /NOT_MY_KEY and NOT_MY_KEY_FILE are both set/);
  assert.deepEqual([...await directory.files()], []);
});

for (
  const [what, content] of [["missing", undefined], ["empty", ""], ["short", "too short"]] as const
) {
  Deno.test(`a secret file that is ${what} is refused, and nothing is made`, async () => {
    await using directory = new Directory();
    if (content !== undefined) await Deno.writeTextFile(`${directory.path}/secret`, content);
    const before = await directory.digests();
    const outcome = await directory.run([], { env: { PORT: "0", NOT_MY_KEY_FILE: "secret" } });
    assert.equal(outcome.code, 78);
    assert.match(outcome.stderr, /^jwks-server: error: the secret/m);
    assert.ok(!content || !outcome.stderr.includes(content));
    assert.deepEqual(await directory.digests(), before);
  });
}
