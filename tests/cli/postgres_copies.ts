/** `copy` into a PostgreSQL and out of it, as far as it needs an operator's help. */

import assert from "node:assert/strict";
import { ROLE_PASSWORD } from "../servers/postgres.ts";
import type { WithPostgresWorkplace } from "./postgres_workplace.ts";

export function testCopies(withWorkplace: WithPostgresWorkplace): void {
  Deno.test("copy says which grant a role lacks that may use the tables, before anything is written", async () => {
    await withWorkplace(async (workplace) => {
      await workplace.init();
      const target = new URL(await workplace.server.createDatabase());
      const there = target.pathname.slice(1);
      await workplace.run(["migrate"], { DATABASE: target.href });
      const role = `copier_${there}`;
      await workplace.psql(`CREATE ROLE ${role} LOGIN PASSWORD 'only for tests'`);
      const rights = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ";
      await workplace.psql(rights + role);
      await workplace.server.psql(rights + role, there);
      const source = new URL(workplace.url);
      for (const url of [source, target]) [url.username, url.password] = [role, "only for tests"];
      const names = "auth_logs_id_seq, client_credentials_id_seq, users_id_seq";
      for (
        const [DATABASE, to, use, grant] of [
          [source.href, `${workplace.directory}/copy.db`, "read", "SELECT"],
          [workplace.url, target.href, "set", "SELECT, UPDATE"],
        ] as const
      ) {
        const { message, hints } = await workplace.refused(["copy", "--to", to], { DATABASE });
        assert.ok(message.startsWith(`The role ${role} may not ${use} the numbers of`), message);
        assert.ok(message.endsWith(`: ${names}`), message);
        const missing = `GRANT ${grant} ON ALL SEQUENCES IN SCHEMA public TO ${role};`;
        assert.equal(hints[0], `as their owner: ${missing}`);
        await workplace.server.psql(
          missing,
          new URL(use === "set" ? target : source).pathname.slice(1),
        );
        await workplace.run(["copy", "--to", to], { DATABASE });
      }
    });
  });

  Deno.test("copy says how a target is emptied that holds rows, and what it says does it", async () => {
    await withWorkplace(async (workplace) => {
      const { server } = workplace;
      await workplace.init();
      await workplace.run(["users", "add", "alice", "--email", "alice@example.com"]);
      const there = new URL(await server.createDatabase()).pathname.slice(1);
      const args = ["copy", "--to", server.socketUrl(there)];
      await workplace.run(args);
      const { message, hints } = await workplace.refused(args);
      assert.match(message, /^The target is not empty \(rows: keys 3, users 1, /);
      const line = /^or empty it, once no server uses it: (psql .*)$/.exec(hints[1]!)![1]!;
      await server.shell(line);
      await workplace.run(args);
      const file = `${workplace.directory}/copy.db`;
      await workplace.run(["copy", "--to", file]);
      const refused = await workplace.refused(["copy", "--to", file]);
      assert.equal(
        refused.hints[1],
        `or move ${file} away, once no server and no command uses it`,
      );
    });
  });

  Deno.test("copy says what to do by what is wrong, and names its own options for the target", async () => {
    await withWorkplace(async (workplace) => {
      await workplace.init();
      const url = workplace.url.replace(/test_\d+$/, "postgres");
      const named = `${workplace.directory}/url`;
      const to = [
        [
          url.replace(encodeURIComponent(ROLE_PASSWORD), "wrong"),
          /^put the right user and password/,
        ],
        [url.replace(/postgres$/, "absent"), /^create the database/],
        [
          "postgres://jwks@nobody.invalid/there",
          /what --to-file says of it\n.* that --to-ca-file has$/,
        ],
      ] as const;
      for (const [target, hint] of to) {
        await Deno.writeTextFile(named, target);
        const { hints } = await workplace.refused(["copy", "--to-file", named]);
        assert.match(hints.join("\n"), hint);
      }
      const env = { DATABASE: "postgres://jwks@nobody.invalid/here" };
      const { hints } = await workplace.refused(["copy", "--to", `${named}.db`], env);
      assert.match(hints.join("\n"), /what DATABASE says of it\n.* that DATABASE_CA_FILE has$/);
    });
  });
}
