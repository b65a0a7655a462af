/** A server whose role owns nothing: another one makes the tables, and may change them. */

import assert from "node:assert/strict";
import { SECRET } from "../blackbox/commands.ts";
import { CHEAP_PASSWORDS, Directory, eventually, Server, UNLIMITED } from "../blackbox/harness.ts";
import { hasPostgres, PostgresServer } from "../servers/postgres.ts";

const ignore = !await hasPostgres("a server on a PostgreSQL that another role owns");

const NEXT_SECRET = "another secret for tests only";
const GRANTS = "CREATE ROLE server LOGIN; " +
  "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO server";

Deno.test({
  name: "a server lives its whole life with a role that may read and write rows, and no more",
  ignore,
}, async () => {
  await using postgres = await PostgresServer.start();
  await using directory = new Directory();
  const name = new URL(await postgres.createDatabase()).pathname.slice(1);
  const owner = postgres.socketUrl(name);
  const migrated = await directory.run(["migrate"], { env: { DATABASE: owner } });
  assert.equal(migrated.code, 0, migrated.stderr);
  await postgres.psql(GRANTS, name);
  const env = {
    ...UNLIMITED,
    ...CHEAP_PASSWORDS,
    DATABASE: owner.replace("user=jwks", "user=server"),
    MIGRATE: "off",
    NOT_MY_KEY: SECRET,
    SIGNING_ALG: "ES256",
  };
  const done = async (...args: string[]) => {
    const { code, stdout, stderr } = await directory.run(args, { env });
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  await postgres.psql(
    "INSERT INTO auth_logs (request_ip, request_timestamp) " +
      "SELECT '192.0.2.1', now() - interval '1 year' FROM generate_series(1, 500)",
    name,
  );
  await using server = await Server.start({ env });
  const user = await server.register();
  await server.token(user);
  await eventually("the old rows are purged", async () => {
    const rows = await postgres.psql("SELECT count(*) FROM auth_logs WHERE user_id IS NULL", name);
    return rows === "0" ? true : undefined;
  });
  await eventually("every key is made", async () => {
    return await postgres.psql("SELECT count(*) FROM keys", name) === "3" ? true : undefined;
  });
  await done("keys", "rotate", "--force");
  await done("users", "rotate-password", user.username);
  await server.token(user);
  await done("users", "delete", user.username);
  assert.equal((await server.login(user)).status, 401);
  assert.equal(await postgres.psql("SELECT count(*) FROM servers", name), "1");
  await server.stop();
  assert.equal(await postgres.psql("SELECT count(*) FROM servers", name), "0");
  const { code, stderr } = await directory.run(["rekey"], {
    env: { ...env, NEW_NOT_MY_KEY: NEXT_SECRET },
  });
  assert.equal(code, 0, stderr);
  await using next = await Server.start({ env: { ...env, NOT_MY_KEY: NEXT_SECRET } });
  await next.token(await next.register());
});
