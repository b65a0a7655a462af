/** What decides where the pool connects to: the URL alone, with this program's own permissions. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Directory } from "../../blackbox/harness.ts";
import { inherited } from "../../blackbox/process.ts";
import { type PostgresServer, ROLE, ROLE_PASSWORD } from "../../servers/postgres.ts";

const SCRIPT = fileURLToPath(new URL("ask.ts", import.meta.url));
const CONFIGURATION = fileURLToPath(new URL("../../../deno.json", import.meta.url));

/** Every variable that PostgreSQL's own programs and the driver go by. */
const MISLEADING = {
  PGHOST: "127.0.0.9",
  PGHOSTADDR: "127.0.0.9",
  PGPORT: "1",
  PGUSER: "postgres",
  PGDATABASE: "nothing",
  PGSSLMODE: "require",
  PGSSLNEGOTIATION: "direct",
  PGOPTIONS: "-c work_mem=64kB",
  PGAPPNAME: "other",
  PGCLIENT_ENCODING: "LATIN1",
  PGREPLICATION: "database",
  PGBINARY: "1",
  PGCONNECT_TIMEOUT: "1",
  PGTZ: "Asia/Tokyo",
  NODE_PG_FORCE_NATIVE: "1",
};

export function testEnvironment(server: PostgresServer): void {
  Deno.test("the URL decides, not the environment nor a file, under the permissions of deno.json", async () => {
    await using directory = new Directory();
    const passwords = `${directory.path}/pgpass`;
    await Deno.writeTextFile(passwords, `*:*:*:*:${ROLE_PASSWORD}\n`, { mode: 0o600 });
    const env = { ...MISLEADING, PGPASSFILE: passwords, PGPASSWORD: ROLE_PASSWORD };
    const url = server.url("template1");
    const withoutPassword = url.replace(/:[^:@/]+@/, "@");
    const bytes = { 0: 0 };
    const right = {
      role: ROLE,
      database: "template1",
      name: "jwks-server",
      work_mem: "4MB",
      bytes,
    };
    assert.deepEqual(
      await ask([url, server.socketUrl("template1"), withoutPassword], env),
      [right, right, "The database is unreachable"],
    );
  });
}

/** What a process in this environment gets from each of the URLs. */
async function ask(urls: readonly string[], env: Record<string, string>): Promise<unknown> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-check",
      "--no-prompt",
      "-P",
      "--config",
      CONFIGURATION,
      SCRIPT,
      ...urls,
    ],
    clearEnv: true,
    env: { ...inherited(), ...env },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}
