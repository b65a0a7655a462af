/** Litestream beside a server that works, and what can be restored. */

import assert from "node:assert/strict";
import litestream from "../../lib/cli/examples/litestream.yml" with { type: "text" };
import type { Credentials } from "../blackbox/client.ts";
import { done, listKeys, startSettled, WITH_SECRET } from "../blackbox/commands.ts";
import { Directory, eventually, Server, UNLIMITED } from "../blackbox/harness.ts";
import { canUse, succeed } from "./tool.ts";

const isThere = await canUse(["litestream", "version"], "litestream");

const env = { ...UNLIMITED, SIGNING_ALG: "EdDSA" };

/** How many clients work at once, and what each does. */
const WORKERS = 4;
const LOGINS = 250;

/** Litestream with the example, for which only the places are others. */
class Litestream implements AsyncDisposable {
  readonly #configuration: string;
  readonly #database: string;
  #process: Deno.ChildProcess;

  private constructor(configuration: string, database: string) {
    this.#configuration = configuration;
    this.#database = database;
    this.#process = this.#start();
  }

  static async start({ database }: Directory, replica: Directory): Promise<Litestream> {
    const configuration = `${replica.path}/litestream.yml`;
    const text = litestream.replace(/^( +- path: ).*$/m, `$1${database}`)
      .replace("file:///var/backups/jwks-server", `file://${replica.path}/copies`);
    await Deno.writeTextFile(configuration, text);
    return new Litestream(configuration, database);
  }

  async stop(): Promise<void> {
    this.#process.kill("SIGTERM");
    assert.equal((await this.#process.status).code, 0);
  }

  restart(): void {
    this.#process = this.#start();
  }

  /** A directory with the database as it can be restored now. */
  async restore(): Promise<Directory> {
    const restored = new Directory();
    const place = ["-config", this.#configuration, "-o", restored.database, this.#database];
    await succeed(["litestream", "restore", ...place]);
    await Deno.chmod(restored.database, 0o600);
    return restored;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #start(): Deno.ChildProcess {
    const args = ["replicate", "-config", this.#configuration];
    return new Deno.Command("litestream", { args, stdout: "null", stderr: "null" }).spawn();
  }
}

/** Restores until the user is in it. */
function restoredWith(copies: Litestream, { username }: Credentials): Promise<Directory> {
  return eventually(`${username} is in the copy`, async () => {
    const restored = await copies.restore().catch(() => undefined); // there is no copy yet
    if (restored === undefined) return undefined;
    const found = restored.query("SELECT id FROM users WHERE username = ?", username);
    if (found.length === 1) return restored;
    await restored[Symbol.asyncDispose]();
    return undefined;
  }, { patience: 30_000, every: 500 });
}

/** Registers, and logs in one time after the other: each must be answered. */
async function work(server: Server): Promise<void> {
  const user = await server.register();
  for (let login = 0; login < LOGINS; login++) await server.token(user);
}

Deno.test({
  name: "Litestream keeps nothing waiting, and what it restores is whole",
  ignore: !isThere,
}, async () => {
  await using server = await startSettled({ env });
  await using replica = new Directory();
  await using copies = await Litestream.start(server.directory, replica);
  await Promise.all(Array.from({ length: WORKERS }, () => work(server)));
  const last = await server.register();
  await using restored = await restoredWith(copies, last);
  const [rows] = restored.query<{ count: number }>("SELECT count(*) AS count FROM auth_logs");
  assert.equal(rows!.count, WORKERS * LOGINS);
  assert.deepEqual(await listKeys(restored), await listKeys(server.directory));
  const report = await done(restored, ["doctor"], {
    env: { ...WITH_SECRET, ...env, ISSUER: server.url },
  });
  assert.match(report, /^ok +database: sound/m);
  assert.match(report, /^ok +issuer: .* publishes this database's keys$/m);
});

Deno.test({
  name: "what changed while Litestream was away is in the copy when it is back",
  ignore: !isThere,
}, async () => {
  await using directory = new Directory();
  await using replica = new Directory();
  const first = await startSettled({ directory, env });
  await using copies = await Litestream.start(directory, replica);
  await (await restoredWith(copies, await first.register()))[Symbol.asyncDispose]();
  await copies.stop();
  const user = await first.register();
  await first.stop(); // which writes its log into the file and removes it
  await using _second = await startSettled({ directory, env });
  copies.restart();
  await using restored = await restoredWith(copies, user);
  assert.match(
    await done(restored, ["doctor"], { env: { ...WITH_SECRET, ...env } }),
    /^ok +secret/m,
  );
});
