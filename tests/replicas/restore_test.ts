/** A backup of a PostgreSQL, made and restored by the very lines that `backup` prints. */

import assert from "node:assert/strict";
import type { Finding } from "../../lib/cli/finding.ts";
import { kidOf, publishedKids, SECRET, verify } from "../blackbox/commands.ts";
import { CHEAP_PASSWORDS, Directory, Server, UNLIMITED } from "../blackbox/harness.ts";
import { hasPostgres, PostgresServer } from "../servers/postgres.ts";

const ignore = !await hasPostgres("the restoring of a PostgreSQL");

/** The command that is told in a hint, from its program to its end. */
function commandIn(stderr: string, program: string): string | undefined {
  return new RegExp(`^jwks-server: hint: (?:.*: )?(${program} .*)$`, "m").exec(stderr)?.[1];
}

Deno.test({
  name: "a PostgreSQL that is restored as backup says is served, and tokens from before verify",
  ignore,
}, async () => {
  await using postgres = await PostgresServer.start();
  await using directory = new Directory();
  const name = new URL(await postgres.createDatabase()).pathname.slice(1);
  const env = {
    ...UNLIMITED,
    ...CHEAP_PASSWORDS,
    DATABASE: postgres.socketUrl(name), // which asks for no password
    NOT_MY_KEY: SECRET,
    SIGNING_ALG: "ES256",
  };
  await using server = await Server.start({ env });
  const users = await Promise.all(Array.from({ length: 20 }, () => server.register()));
  const token = await server.token(users[0]!);
  const kids = await publishedKids(server);
  const { code, stderr } = await directory.run(["backup", "jwks.dump"], { env });
  assert.equal(code, 2);
  assert.deepEqual(await directory.files(), new Map());
  const [dump, create, restore] = ["pg_dump", "createdb", "pg_restore"]
    .map((program) => commandIn(stderr, program))
    .map((line) => line?.replaceAll("jwks.dump", `${postgres.socketDirectory}/jwks.dump`));
  await postgres.shell(dump!);
  const later = await server.register();
  await server.stop();
  await postgres.shell(create!.replace(/^createdb /, "createdb --username=postgres "));
  await postgres.shell(restore!);
  const restored = { ...env, DATABASE: postgres.socketUrl("restored") };
  await using revived = await Server.start({ env: restored });
  assert.deepEqual(await publishedKids(revived), kids);
  assert.equal(await verify(revived, token), kidOf(token));
  for (const user of users) await revived.token(user);
  assert.equal((await revived.login(later)).status, 401); // registered after the backup
  await revived.register(); // rows get numbers that are not given yet
  const { stdout } = await directory.run(["doctor", "--json"], { env: restored });
  const found: Finding[] = JSON.parse(stdout);
  const statuses = new Map(found.map(({ check, status }) => [check, status]));
  for (const check of ["database", "privileges", "secret", "published set", "schedule"]) {
    assert.equal(statuses.get(check), "ok", check);
  }
});
