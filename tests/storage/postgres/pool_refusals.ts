/** What an operator is told of a server that takes no connections, or not this one. */

import assert from "node:assert/strict";
import { DomainError, type ErrorCode } from "../../../lib/base/errors.ts";
import { parsePostgresUrl, type PostgresLocation } from "../../../lib/storage/postgres/location.ts";
import { openFailure } from "../../../lib/storage/postgres/open_failure.ts";
import { freePort } from "../../blackbox/harness.ts";
import { type PostgresServer, ROLE } from "../../servers/postgres.ts";
import { failureOf } from "../../support.ts";
import { assertTellsNothing, withPool } from "./pools.ts";

interface Refusal {
  change: Partial<PostgresLocation>;
  code: ErrorCode;
  told: RegExp;
  hint: RegExp;
}

export function testRefusals(server: PostgresServer): void {
  const place = parsePostgresUrl(server.url("postgres"))!;
  const refusals: Record<string, Refusal> = {
    "the wrong password": {
      change: { password: "wrong" },
      code: "database_unusable",
      told: /^The database postgres of jwks at 127.0.0.1:\d+ is unreachable: password auth/,
      hint: /right user and password/,
    },
    "no password": {
      change: { password: undefined },
      code: "storage_unavailable",
      told: /password must be a non-empty string/,
      hint: /what DATABASE says of it/,
    },
    "a database that is not there": {
      change: { database: "nothing" },
      code: "database_unusable",
      told:
        /^The database nothing of jwks at .* is unreachable: database "nothing" does not exist$/,
      hint: /create the database/,
    },
    "a role that may not connect": {
      change: { database: "closed" },
      code: "database_unusable",
      told: /permission denied/,
      hint: /GRANT CONNECT/,
    },
    "nobody at the port": {
      change: { host: "localhost", port: freePort() },
      code: "storage_unavailable",
      told: /ECONNREFUSED/,
      hint: /runs and takes connections/,
    },
    "no such host": {
      change: { host: "nobody.invalid", isTls: true },
      code: "storage_unavailable",
      told: /at nobody.invalid:\d+ is unreachable: .*nobody.invalid/,
      hint: /DATABASE_CA_FILE/,
    },
  };

  for (const [what, { change, code, told, hint }] of Object.entries(refusals)) {
    Deno.test(`openFailure() tells why, and what to do about ${what}`, async () => {
      if (change.database === "closed") {
        await server.psql("CREATE DATABASE closed");
        await server.psql(`REVOKE CONNECT ON DATABASE closed FROM PUBLIC, ${ROLE}`);
      }
      const location = { ...place, ...change };
      const work = () => withPool(location, {}, (pool) => pool.read("SELECT 1"));
      const error = openFailure(location, await failureOf(work));
      assertTellsNothing(error);
      assert.ok(error instanceof DomainError);
      assert.equal(error.code, code);
      assert.match(error.message, told);
      assert.match(error.hints.join("\n"), hint);
    });
  }

  Deno.test("openFailure() takes what a table refuses for nothing that the server does", async () => {
    const sql = "SELECT FROM pg_authid"; // for superusers
    const failure = await failureOf(() => withPool(place, {}, (pool) => pool.read(sql)));
    const error = openFailure(place, failure) as DomainError;
    assert.equal(error.code, "storage_unavailable");
    assert.equal(error.data.fault, "altered");
    assert.match(
      error.message,
      /^The database postgres of jwks at .* is altered: permission denied/,
    );
  });

  Deno.test("openFailure() leaves what is no matter of the connection as it is", async () => {
    const error = await failureOf(() => withPool(place, {}, (pool) => pool.read("SELECT 1 / 0")));
    assert.equal(openFailure(place, error), error);
  });
}
