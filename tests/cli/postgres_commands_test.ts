import assert from "node:assert/strict";
import { isDomainError } from "../../lib/base/errors.ts";
import { ROLE, ROLE_PASSWORD } from "../servers/postgres.ts";
import { SECRET } from "../support.ts";
import { testCopies } from "./postgres_copies.ts";
import { postgresWorkplaces } from "./postgres_workplace.ts";

const withWorkplace = await postgresWorkplaces("commands on a PostgreSQL");
const NEXT_SECRET = "another secret that only tests know";

if (withWorkplace) {
  testCopies(withWorkplace);

  Deno.test("migrate makes the tables, and changes nothing where they are; it needs no secret", async () => {
    await withWorkplace(async (workplace) => {
      const env = { NOT_MY_KEY: undefined, MIGRATE: "off" };
      const name = new URL(workplace.url).pathname.slice(1);
      const described = `The database ${name} of ${ROLE} at 127.0.0.1:${workplace.server.port}`;
      const refused = await workplace.refused(["users", "list"], env);
      assert.equal(refused.message, `${described} has no tables of jwks-server yet`);
      const made = await workplace.run(["migrate"], env);
      assert.equal(made, `${described} has its tables now: schema version 1`);
      assert.equal(await workplace.run(["users", "list"], env), "There are no users yet");
      const again = await workplace.run(["migrate"], env);
      assert.equal(again, `${described} has schema version 1: nothing is changed`);
    });
  });

  Deno.test("a shell's secret does not become that of a database that has none yet", async () => {
    await withWorkplace(async (workplace) => {
      await workplace.run(["migrate"]);
      for (const args of [["keys", "list"], ["rekey"], ["keys", "publish", workplace.directory]]) {
        const { message } = await workplace.refused(args, { NEW_NOT_MY_KEY: NEXT_SECRET });
        assert.match(message, /has no keys yet$/);
      }
      assert.equal(await workplace.psql("SELECT count(*) FROM meta"), "0");
      assert.match(
        await workplace.run(["init"], { SIGNING_ALG: "EdDSA" }),
        /with keys that NOT_MY/,
      );
    });
  });

  Deno.test("backup makes no file of a PostgreSQL, fails, and says what does it, without a password", async () => {
    await withWorkplace(async (workplace) => {
      const file = `${workplace.directory}/it's a backup`;
      const { error, stdout, stderr } = await workplace.execute(["backup", file]);
      assert.ok(isDomainError(error, "usage"), String(error));
      assert.equal(stdout, "");
      assert.match(stderr, /^jwks-server: error: no backup was made: .* is not in a file\n/);
      const [dump, , create, restore, , copy] = error.hints;
      const url = workplace.url.replace("postgres:", "postgresql:")
        .replace(`:${encodeURIComponent(ROLE_PASSWORD)}`, "");
      const quoted = `'${workplace.directory}/it'\\''s a backup'`;
      assert.equal(dump, `pg_dump --format=custom --file=${quoted} ${url}`);
      assert.match(create!, /createdb --host=127\.0\.0\.1 --port=\d+ --owner=jwks /);
      assert.match(restore!, /pg_restore .*--dbname=postgresql:.*\/restored '/);
      assert.match(copy!, /jwks-server copy --to/);
      assert.ok(!stderr.includes("pa55"), stderr);
      assert.deepEqual(await Array.fromAsync(Deno.readDir(workplace.directory)), []);
    });
  });

  Deno.test("the lines of backup restore a database whose servers own nothing, owner and grants, too", async () => {
    await withWorkplace(async (workplace) => {
      const { server } = workplace;
      await workplace.init();
      const name = new URL(workplace.url).pathname.slice(1);
      const role = `reader_${name}`;
      await workplace.psql(
        `CREATE ROLE ${role} LOGIN; ` +
          `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`,
      );
      const file = `${workplace.directory}/dump`;
      const DATABASE = server.socketUrl(name).replace(`user=${ROLE}`, `user=${role}`);
      const { error } = await workplace.execute(["backup", file], { DATABASE, MIGRATE: "off" });
      assert.ok(isDomainError(error, "usage"), String(error));
      const [dump, advice, create, restore] = error.hints.map((hint) =>
        hint.replaceAll("OWNER", ROLE).replaceAll(file, "/dev/stdout")
      );
      assert.match(
        advice!,
        new RegExp(`^${ROLE} is the role that owns the tables: ${role} may not`),
      );
      assert.match(create!, new RegExp(` --owner=${ROLE} `));
      const line = dump!.replace("--file=/dev/stdout ", "");
      const target = await server.createDatabase();
      const there = new URL(target).pathname.slice(1);
      const back = /^then: (.*) \/dev\/stdout; /.exec(restore!)![1]!.replace(
        "/restored?",
        `/${there}?`,
      );
      await server.shell(`sh -c "${line} | ${back}"`);
      const told = "SELECT count(*) FILTER (WHERE tableowner = 'jwks') = count(*), " +
        `bool_and(has_table_privilege('${role}', tablename::text, 'DELETE')) ` +
        "FROM pg_tables WHERE schemaname = 'public'";
      assert.equal(await server.psql(told, there), "t|t");
    });
  });

  Deno.test("rekey seals a PostgreSQL's keys under the secret that every server is to be given", async () => {
    await withWorkplace(async (workplace) => {
      await workplace.init();
      const { message, hints } = await workplace.refused(["rekey"]);
      assert.equal(message, "There is no file that a new secret could be put into");
      assert.match(hints[0]!, /NEW_NOT_MY_KEY/);
      const said = await workplace.run(["rekey"], { NEW_NOT_MY_KEY: NEXT_SECRET });
      assert.match(said, /^3 keys are sealed .*\nStart every server again with NOT_MY_KEY set/);
      assert.match((await workplace.refused(["keys", "list"])).message, /secret is not the one/);
      assert.equal((await workplace.keys({ NOT_MY_KEY: NEXT_SECRET })).length, 3);
    });
  });

  Deno.test("rekey makes a secret only into the file that servers have, and keeps the old one", async () => {
    await withWorkplace(async (workplace) => {
      await workplace.init();
      const file = `${workplace.directory}/secret`;
      await Deno.writeTextFile(file, `${SECRET}\n`, { mode: 0o600 });
      const env = { NOT_MY_KEY: undefined, NOT_MY_KEY_FILE: file };
      const said = await workplace.run(["rekey"], env);
      assert.ok(said.includes(`The new secret is in ${file}, on this machine alone`), said);
      assert.notEqual((await Deno.readTextFile(file)).trim(), SECRET);
      assert.equal((await workplace.keys(env)).length, 3);
      const kept = /The old secret is kept in (\S+): /.exec(said)![1]!;
      assert.equal((await Deno.readTextFile(kept)).trim(), SECRET);
    });
  });

  Deno.test("commands on keys and users do on a PostgreSQL what they do on a file", async () => {
    await withWorkplace(async (workplace) => {
      await workplace.init();
      const env = { SIGNING_ALG: "EdDSA" };
      assert.match(await workplace.run(["init"], env), /was there already.*nothing is changed/);
      await workplace.run(["keys", "rotate", "--force"], env);
      const signer = (await workplace.keys(env)).find((key) => key.signer)!;
      assert.match(await workplace.run(["keys", "revoke", signer.kid], env), /is revoked/);
      assert.match(await workplace.run(["keys", "plan"], env), /signs/);
      const directory = `${workplace.directory}/www`;
      await workplace.run(["keys", "publish", directory], { ...env, ISSUER: "https://id.example" });
      const set = JSON.parse(await Deno.readTextFile(`${directory}/.well-known/jwks.json`));
      assert.ok(!set.keys.some(({ kid }: { kid: string }) => kid === signer.kid));
      await workplace.run(["users", "add", "alice", "--email", "alice@example.com"]);
      await workplace.run(["users", "disable", "ALICE"]);
      const [user] = JSON.parse(await workplace.run(["users", "list", "--json"]));
      assert.deepEqual([user.username, user.state], ["alice", "disabled"]);
      const declared = `${workplace.directory}/clients.json`;
      await Deno.writeTextFile(`${workplace.directory}/password`, "a password of these tests");
      await Deno.writeTextFile(
        declared,
        '{"clients": [{"username": "bob", "password_file": "password"}]}',
      );
      assert.match(
        await workplace.run(["apply", declared, "--prune"]),
        /bob[^]*alice|alice[^]*bob/,
      );
      assert.equal(
        await workplace.run(["logs"]),
        "TIME (UTC)           CLIENT                                   USER",
      );
    });
  });

  Deno.test("a role that may only use the tables is enough where another one migrates", async () => {
    await withWorkplace(async (workplace) => {
      await workplace.run(["migrate"]);
      const role = `server_${new URL(workplace.url).pathname.slice(1)}`;
      await workplace.psql(
        `CREATE ROLE ${role} LOGIN PASSWORD 'only for tests'; ` +
          `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`,
      );
      const url = new URL(workplace.url);
      [url.username, url.password] = [role, "only for tests"];
      const env = { DATABASE: url.href, MIGRATE: "off", SIGNING_ALG: "EdDSA" };
      await workplace.run(["init"], env);
      await workplace.run(["users", "add", "alice", "--email", "alice@example.com"], env);
      await workplace.run(["users", "rotate-password", "alice"], env);
      await workplace.run(["keys", "rotate", "--force"], env);
      await workplace.run(["users", "delete", "alice"], env);
      await workplace.run(["rekey"], { ...env, NEW_NOT_MY_KEY: NEXT_SECRET });
      const findings = await workplace.examine({ ...env, NOT_MY_KEY: NEXT_SECRET });
      const problems = findings.filter(({ status }) => status === "problem");
      assert.deepEqual(problems.map(({ check }) => check), ["durability"]); // of the tests' server
    });
  });
}
