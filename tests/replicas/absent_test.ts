/** A replica that starts while its database is away. */

import assert from "node:assert/strict";
import { assertRefusal, WITH_SECRET } from "../blackbox/commands.ts";
import { Directory } from "../blackbox/harness.ts";
import { hasPostgres, PostgresServer, ROLE, ROLE_PASSWORD } from "../servers/postgres.ts";

/** How long it may try, in milliseconds, with the time that a process takes to begin. */
const PATIENCE = 10_000;

interface Absence {
  begin(postgres: PostgresServer): Promise<unknown>;
  end(postgres: PostgresServer): Promise<unknown>;
  /** What is said of it, and the exit code: EX_CONFIG where it will not pass by itself. */
  reason: RegExp;
  code: number;
}

const ABSENCES: Record<string, Absence> = {
  "is stopped": {
    begin: (postgres) => postgres.stop(),
    end: (postgres) => postgres.start(),
    reason: /unreachable: .*(refused|ECONNREFUSED)/,
    code: 1,
  },
  "stands still": {
    begin: (postgres) => postgres.freeze(),
    end: (postgres) => postgres.thaw(),
    reason: /unreachable: .*2000 ms/,
    code: 1,
  },
  "has another password for the role": {
    begin: (postgres) => postgres.psql(`ALTER ROLE ${ROLE} PASSWORD 'another one'`),
    end: (postgres) => postgres.psql(`ALTER ROLE ${ROLE} PASSWORD '${ROLE_PASSWORD}'`),
    reason: /unreachable: password authentication failed/,
    code: 78,
  },
};

Deno.test({
  name: "a server that starts while its PostgreSQL",
  ignore: !await hasPostgres("a start without a database"),
}, async (test) => {
  await using postgres = await PostgresServer.start();
  const location = await postgres.createDatabase();
  const name = new URL(location).pathname.slice(1);
  for (const [absence, { begin, end, reason, code }] of Object.entries(ABSENCES)) {
    await test.step(`${absence} ends soon, names the database and says why`, async () => {
      await using directory = new Directory();
      await begin(postgres);
      try {
        const begun = performance.now();
        const env = { ...WITH_SECRET, DATABASE: location, PORT: "0" };
        const outcome = await directory.run([], { env });
        assert.ok(performance.now() - begun < PATIENCE);
        const place = `${name} of ${ROLE} at 127.0.0.1:${postgres.port}`;
        assertRefusal(outcome, code, new RegExp(`${place} is ${reason.source}`));
        for (const password of [ROLE_PASSWORD, encodeURIComponent(ROLE_PASSWORD)]) {
          assert.ok(!outcome.stderr.includes(password));
        }
        assert.deepEqual(await directory.files(), new Map());
      } finally {
        await end(postgres);
      }
    });
  }
});
