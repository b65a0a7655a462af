import assert from "node:assert/strict";
import type { Finding } from "../../lib/cli/finding.ts";
import { examineServer } from "../../lib/cli/database_checks.ts";
import { parsePostgresUrl } from "../../lib/storage/postgres/location.ts";
import { load } from "../server/loaded.ts";
import { ROLE, ROLE_PASSWORD } from "../servers/postgres.ts";
import { type PostgresWorkplace, postgresWorkplaces } from "./postgres_workplace.ts";

const withWorkplace = await postgresWorkplaces("doctor of a PostgreSQL");

/** What a database is like on which a check finds something. */
interface Case {
  what: string;
  /** Run by a superuser. */
  sql?: string;
  check: string;
  status: Finding["status"];
  message: RegExp;
  hint: RegExp;
  env?: Record<string, string>;
  /** It has no tables. */
  isEmpty?: boolean;
}

const OWNED_BY_ANOTHER = "ALTER TABLE users OWNER TO postgres; " +
  `GRANT SELECT, INSERT, UPDATE, DELETE ON users TO ${ROLE}`;

const CASES: readonly Case[] = [
  {
    what: "the schema of a newer release",
    sql: "INSERT INTO schema_migrations (version) VALUES (2)",
    check: "database",
    status: "warning",
    message: /^PostgreSQL \d+.*, schema version 2: a newer release has migrated it$/,
    hint: /replace this release/,
  },
  {
    what: "an old schema, or none",
    isEmpty: true,
    check: "database",
    status: "problem",
    message: /schema version 0, and 1 is needed$/,
    hint: /^start the server, which does that, or run jwks-server migrate$/,
  },
  {
    what: "an old schema that the server may not change",
    isEmpty: true,
    env: { MIGRATE: "off" },
    check: "database",
    status: "problem",
    message: /schema version 0, and 1 is needed$/,
    hint: /^MIGRATE is off: run jwks-server migrate$/,
  },
  {
    what: "a privilege that is missing",
    sql: `REVOKE UPDATE, DELETE ON users, servers FROM ${ROLE}`,
    check: "privileges",
    status: "problem",
    message: /^the role jwks lacks UPDATE, DELETE ON servers, UPDATE, DELETE ON users$/,
    hint: /: GRANT UPDATE, DELETE ON servers TO jwks; GRANT UPDATE, DELETE ON users TO jwks;$/,
  },
  {
    what: "the list of migrations out of reach",
    sql: `REVOKE SELECT ON schema_migrations FROM ${ROLE}`,
    check: "privileges",
    status: "problem",
    message: /^the role jwks lacks SELECT ON schema_migrations$/,
    hint: /GRANT SELECT ON schema_migrations TO jwks;$/,
  },
  {
    what: "no schema that may be used",
    sql: "REVOKE USAGE ON SCHEMA public FROM PUBLIC; REVOKE USAGE ON SCHEMA public FROM jwks; " +
      "ALTER SCHEMA public OWNER TO postgres",
    check: "privileges",
    status: "problem",
    message: /may use none of the schemas/,
    hint: /GRANT USAGE ON SCHEMA public TO jwks;/,
  },
  {
    what: "a table that the server could not migrate",
    sql: OWNED_BY_ANOTHER,
    check: "privileges",
    status: "warning",
    message: /may use every table, and not change them/,
    hint: /MIGRATE=off/,
  },
  {
    what: "a schema in which others may put what the server would run",
    sql: "GRANT CREATE ON SCHEMA public TO PUBLIC",
    check: "privileges",
    status: "warning",
    message: /^every role may make functions in the schema public, which would be run as jwks$/,
    hint: /: REVOKE CREATE ON SCHEMA public FROM PUBLIC;/,
  },
  {
    what: "a database that takes no writes",
    sql: "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', " +
      "current_database()); END $$",
    check: "writes",
    status: "problem",
    message: /default_transaction_read_only is on/,
    hint: /switch it off/,
  },
  {
    what: "another isolation",
    sql: "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = " +
      "serializable', current_database()); END $$",
    check: "isolation",
    status: "warning",
    message: /default_transaction_isolation is serializable/,
    hint: /read committed/,
  },
  {
    what: "commits that are not waited for",
    sql: "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', " +
      "current_database()); END $$",
    check: "durability",
    status: "problem",
    message: /^off: synchronous_commit, fsync, full_page_writes: /,
    hint: /switch it on/,
  },
  {
    what: "less room than a server needs",
    sql: "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 10', " +
      "current_database()); END $$",
    check: "connections",
    status: "warning",
    message: /^1 server may want 10 connections, of 10 that there are$/,
    hint: /PgBouncer/,
  },
];

const CHECKS = [
  ...["database", "privileges", "writes", "isolation", "durability", "connection"],
  ...["statement limit", "database clock", "connections", "servers", "secret file", "test tokens"],
  ...["secret", "policy", "published set", "schedule", "clock", "proxies", "issuer"],
];

/** What is found of the server and the database, without the keys. */
async function findingsOf(
  { url: DATABASE }: PostgresWorkplace,
  env: Record<string, string> = {},
): Promise<Finding[]> {
  return await examineServer(parsePostgresUrl(DATABASE)!, load({ DATABASE, ...env }));
}

if (withWorkplace) {
  Deno.test("doctor finds a PostgreSQL server as initdb makes it in order", async () => {
    await withWorkplace(async (workplace) => {
      await workplace.init();
      const env = { SIGNING_ALG: "EdDSA" };
      const findings = await workplace.examine(env);
      assert.deepEqual(findings.map(({ check }) => check), CHECKS);
      const notable = findings.filter(({ status }) => status !== "ok");
      // The tests' server need not outlive the machine, and nobody listens at the issuer's URL.
      assert.deepEqual(notable.map(({ check }) => check), ["durability", "issuer"]);
      const [{ message }] = findings as [Finding];
      assert.match(message, /^PostgreSQL \d+\.\d+, schema version 1$/);
    });
  });

  for (const { what, sql, env = {}, isEmpty, check, status, message, hint } of CASES) {
    Deno.test(`doctor tells of ${what}, and what to do`, async () => {
      await withWorkplace(async (workplace) => {
        if (!isEmpty) await workplace.run(["migrate"]);
        if (sql !== undefined) await workplace.psql(sql);
        const found = (await findingsOf(workplace, env)).filter((finding) =>
          finding.check === check
        );
        assert.deepEqual(found.map((finding) => finding.status), [status], JSON.stringify(found));
        assert.match(found[0]!.message, message);
        assert.match(found[0]!.hint!, hint);
      });
    });
  }

  Deno.test("doctor finds a role that may only use the tables in order where MIGRATE is off", async () => {
    await withWorkplace(async (workplace) => {
      await workplace.run(["migrate"]);
      await workplace.psql(OWNED_BY_ANOTHER);
      const findings = await findingsOf(workplace, { MIGRATE: "off" });
      const notable = findings.filter(({ status }) => status !== "ok");
      assert.deepEqual(notable.map(({ check }) => check), ["durability"]);
    });
  });

  Deno.test("doctor does not blame this machine's clock for what a server with a fast one has logged", async () => {
    await withWorkplace(async (workplace) => {
      await workplace.init();
      await workplace.psql(
        "INSERT INTO auth_logs (request_ip, request_timestamp) " +
          "VALUES ('192.0.2.1', (now() AT TIME ZONE 'UTC') + interval '480 seconds')",
      );
      const findings = await workplace.examine({ SIGNING_ALG: "EdDSA" });
      const found = findings.filter(({ check }) => check.endsWith("clock"));
      assert.deepEqual(found.map(({ check, status }) => [check, status]), [
        ["database clock", "ok"],
        ["clock", "warning"],
      ]);
      assert.match(
        found[1]!.message,
        /^the newest log entry is 4[78]\d s ahead of this machine's clock$/,
      );
      assert.match(found[1]!.hint!, /^a server whose clock was ahead wrote it/);
    });
  });

  Deno.test("doctor migrates nothing", async () => {
    await withWorkplace(async (workplace) => {
      const found = await findingsOf(workplace);
      assert.match(found[0]!.message, /schema version 0, and 1 is needed/);
      assert.equal(
        await workplace.psql("SELECT count(*) FROM pg_class WHERE relname = 'keys'"),
        "0",
      );
      await workplace.run(["migrate"]);
      assert.equal((await workplace.findings())["secret"], "problem");
      assert.equal(await workplace.psql("SELECT count(*) FROM meta"), "0");
    });
  });

  Deno.test("doctor says in one line why a PostgreSQL cannot be reached, and never a password", async () => {
    await withWorkplace(async (workplace) => {
      const wrong = workplace.url.replace(encodeURIComponent(ROLE_PASSWORD), "hunter2hunter2");
      const absent = workplace.url.replace(/test_\d+$/, "absent");
      const nobody = `${workplace.url.replace(/:\d+\//, ":1/")}?sslmode=verify-full`;
      for (
        const [DATABASE, reason, hint] of [
          [
            wrong,
            /unreachable: password authentication failed for user "jwks"$/,
            /^put the right user/,
          ],
          [absent, /unreachable: database "absent" does not exist$/, /^create the database/],
          [nobody, /unreachable: .*ECONNREFUSED/, /says of it; .*DATABASE_CA_FILE has$/],
        ] as const
      ) {
        const { stdout, stderr } = await workplace.execute(["doctor", "--json"], { DATABASE });
        const findings: Finding[] = JSON.parse(stdout);
        const problems = findings.filter(({ status }) => status === "problem");
        assert.deepEqual(problems.map(({ check }) => check), ["database", "secret"]);
        for (const { message } of problems) assert.match(message, reason);
        assert.match(problems[0]!.hint!, hint);
        for (const secret of ["hunter2hunter2", ROLE_PASSWORD, encodeURIComponent(ROLE_PASSWORD)]) {
          assert.ok(!(stdout + stderr).includes(secret), secret);
        }
      }
    });
  });
}
