/** A new secret while several servers run: those that are given it go on, the others hold what they have. */

import assert from "node:assert/strict";
import type { Finding } from "../../lib/cli/finding.ts";
import { kidOf, publishedKids, SECRET } from "../blackbox/commands.ts";
import { Directory, eventually, Server, UNLIMITED } from "../blackbox/harness.ts";
import type { Environment } from "../blackbox/process.ts";
import { hasPostgres, PostgresServer } from "../servers/postgres.ts";

const PATIENCE = { patience: 20_000 };

const ignore = !await hasPostgres("a new secret for servers on a PostgreSQL");

Deno.test({
  name: "servers whose file has the new secret go on by themselves, and doctor names the others",
  ignore,
}, async () => {
  await using postgres = await PostgresServer.start();
  await using directory = new Directory();
  const [first, second] = [`${directory.path}/first`, `${directory.path}/second`] as const;
  for (const file of [first, second]) {
    await Deno.writeTextFile(file, `${SECRET}\n`, { mode: 0o600 });
  }
  const DATABASE = await postgres.createDatabase();
  const start = (env: Environment) => Server.start({ env: { ...UNLIMITED, DATABASE, ...env } });
  await using one = await start({ NOT_MY_KEY_FILE: first });
  await using two = await start({ NOT_MY_KEY_FILE: second });
  await using three = await start({ NOT_MY_KEY: SECRET });
  const servers = [one, two, three];
  const user = await one.register();
  const kids = await eventually("both keys are published", async () => {
    const published = await publishedKids(three);
    return published.length === 2 ? published : undefined;
  });
  const env = { DATABASE, NOT_MY_KEY_FILE: first };
  const run = (args: string[]) => directory.run(args, { env });

  const { code, stdout, stderr } = await run(["rekey"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /on this machine alone: back it up, and put it into that file of every/);
  await eventually("the first goes on under it", () => goesOn(one.stderr), PATIENCE);
  for (const server of [two, three]) {
    await eventually("another says that it cannot", () => isSuperseded(server.stderr), PATIENCE);
  }
  for (const server of servers) { // each signs with what it holds
    assert.ok(kids.includes(kidOf(await server.token(user))));
    assert.deepEqual(await publishedKids(server), kids);
  }

  const superseded = async () => {
    const { stdout } = await run(["doctor", "--json"]);
    const found: Finding[] = JSON.parse(stdout);
    return found.flatMap(({ check, status, message }) => {
      const port = /:(\d+) runs under another secret/.exec(message)?.[1];
      return port && check === "servers" && status === "problem" ? [Number(port)] : [];
    });
  };
  const ports = (servers: Server[]) => servers.map((server) => server.port).sort();
  await eventually("doctor names both", async () => {
    const found = await superseded();
    return found.sort().join() === ports([two, three]).join() ? true : undefined;
  }, PATIENCE);

  await Deno.copyFile(first, second);
  await eventually("the second goes on under it", () => goesOn(two.stderr), PATIENCE);
  await eventually("doctor names the third alone", async () => {
    return (await superseded()).join() === ports([three]).join() ? true : undefined;
  }, PATIENCE);
  const operated = await run(["keys", "rotate", "--force"]);
  assert.equal(operated.code, 0, operated.stderr);
  const signer = /Key (\S+) signs/.exec(operated.stdout)![1]!;
  for (const server of [one, two]) {
    await eventually("a server signs with the next key", async () => {
      return kidOf(await server.token(user)) === signer ? true : undefined;
    }, PATIENCE);
  }
});

function goesOn(stderr: string): true | undefined {
  return stderr.includes("this process goes on under the new one") ? true : undefined;
}

function isSuperseded(stderr: string): true | undefined {
  return stderr.includes("makes no new ones; start it again with the new secret")
    ? true
    : undefined;
}
