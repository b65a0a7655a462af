/** Moving between a file and PostgreSQL, by servers and commands as people run them. */

import assert from "node:assert/strict";
import { createRemoteJWKSet, jwtVerify } from "jose";
import type { Credentials } from "../blackbox/client.ts";
import { done, startSettled, verify, WITH_SECRET } from "../blackbox/commands.ts";
import { Directory, eventually, Server, UNLIMITED } from "../blackbox/harness.ts";
import { MIB } from "../blackbox/memory.ts";
import { works } from "../blackbox/skip.ts";
import { hasPgBouncer, PgBouncer } from "../servers/pgbouncer.ts";
import { hasPostgres, PostgresServer } from "../servers/postgres.ts";
import { parsePostgresUrl } from "../../lib/storage/postgres/location.ts";
import { readTables } from "../../lib/storage/postgres/table_access.ts";
import { TABLES } from "../../lib/storage/tables.ts";
import { killCopy, manyUsers, withFiles } from "../storage/copy/files.ts";
import { dump } from "../storage/copy/rows.ts";

const env = { ...WITH_SECRET, ...UNLIMITED, ISSUER: "https://issuer.example" };

/** Where a copy into PostgreSQL is killed. */
const STEPS = [
  "count keys",
  "write users",
  "write tombstones",
  "setLastNumber auth_logs",
  "setRevision",
  "compared",
];

/** Registers and logs in until it is told to stop; gives all whose registration was answered. */
class Load {
  readonly registered: Credentials[] = [];
  #isOver = false;
  readonly #running: Promise<void>[];

  constructor(server: Server) {
    this.#running = [1, 2].map(() => this.#work(server));
  }

  async #work(server: Server): Promise<void> {
    while (!this.#isOver) {
      const user = await server.register();
      await server.token(user);
      this.registered.push(user);
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }
}

/** Tells the most memory that a program has used, in KiB. */
const TIME = ["/usr/bin/time", "-f", "%M"];

function outcomeOf(directory: Directory, args: string[], variables = {}) {
  return directory.run(args, { env: { ...WITH_SECRET, ...variables } });
}

/** A file that holds a URL. */
async function named(url: string, directory: string): Promise<string> {
  const file = `${directory}/url`;
  await Deno.writeTextFile(file, url);
  return file;
}

if (await hasPostgres("moving between a file and PostgreSQL")) {
  let postgres: PostgresServer;
  Deno.test.beforeAll(async () => void (postgres = await PostgresServer.start()));
  Deno.test.afterAll(() => postgres[Symbol.asyncDispose]());

  Deno.test("tokens and passwords from before a move are good after it, there and back again", async () => {
    await using directory = new Directory();
    const url = await postgres.createDatabase();
    await Deno.writeTextFile(`${directory.path}/url`, url);
    const there = { ...env, DATABASE_FILE: "url", DATABASE: "" };
    await using back = new Directory();

    await using file = await startSettled({ directory, env });
    const load = new Load(file);
    await eventually("there is load", () => load.registered.length > 20 || undefined);
    const before = [...load.registered];
    const { code, stderr } = await outcomeOf(directory, ["copy", "--to-file", "url"]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /warning: a server works on the source/);
    await load.stop();
    assert.ok(load.registered.length > before.length);
    const token = await file.token(before[0]!);
    await file.stop();

    await using one = await Server.start({ directory, env: there });
    await using other = await Server.start({ directory, env: there });
    for (const server of [one, other]) await verify(server, token);
    for (const user of before) await one.token(user);
    const added = await other.register();
    const later = await one.token(added);
    await Promise.all([one.stop(), other.stop()]);

    const copied = await outcomeOf(directory, ["copy", "--to", back.database], {
      DATABASE_FILE: "url",
      DATABASE: "",
    });
    assert.equal(copied.code, 0, copied.stderr);
    await using again = await Server.start({ directory: back, env });
    const set = createRemoteJWKSet(new URL(`${again.url}/.well-known/jwks.json`));
    for (const known of [token, later]) await jwtVerify(known, set);
    for (const user of [before.at(-1)!, added]) await again.token(user);
    const findings = JSON.parse(
      (await outcomeOf(back, ["doctor", "--json"], { ISSUER: again.url })).stdout,
    ) as { check: string; status: string }[];
    assert.deepEqual(findings.filter(({ status }) => status === "problem"), []);
  });

  Deno.test("a copy into PostgreSQL that is killed leaves nothing, and the next one is whole", async () => {
    const url = await postgres.createDatabase();
    const server = { location: parsePostgresUrl(url)!, ca: undefined };
    const count = () =>
      readTables(server, async (reader) => {
        const counts = await Array.fromAsync(TABLES, (table) => reader.count(table));
        return counts.reduce((sum, rows) => sum + rows, 0);
      });
    await withFiles(manyUsers(3), async ({ directory, from }) => {
      for (const step of STEPS) {
        await killCopy({ from, to: url }, step);
        assert.equal(await count(), 0, step);
      }
      await using place = new Directory();
      await done(place, ["copy", "--to-file", await named(url, directory)], {
        env: { DATABASE: from },
      });
      assert.equal(await count(), 3 * 4 + 2);
    });
  });

  if (await hasPgBouncer("moving through PgBouncer")) {
    Deno.test("a copy goes through a pooler whose connections are lent for a transaction each", async () => {
      const url = await postgres.createDatabase();
      await using bouncer = await PgBouncer.start(postgres);
      await using place = new Directory();
      await withFiles(manyUsers(2500), async ({ directory, from, to }) => {
        const file = await named(bouncer.through(url), directory);
        await done(place, ["copy", "--to-file", file], { env: { DATABASE: from } });
        await done(place, ["copy", "--to", to], { env: { DATABASE_FILE: file, DATABASE: "" } });
        assert.deepEqual(dump(to), dump(from));
      });
    });
  }

  if (await works([...TIME, "true"], "the memory that a copy takes")) {
    Deno.test("a copy of many rows takes no more memory than one of few", async () => {
      const peaks: number[] = [];
      for (const count of [5_000, 100_000]) {
        const url = await postgres.createDatabase();
        await withFiles(manyUsers(count), async ({ directory, from, to }) => {
          const file = await named(url, directory);
          const into = await peakOf(["copy", "--to-file", file], { DATABASE: from });
          const out = await peakOf(["copy", "--to", to], { DATABASE_FILE: file });
          peaks.push(Math.max(into, out));
        });
      }
      const [few, many] = peaks as [number, number];
      assert.ok(many < few + 64 * MIB, `${few} KiB for few, ${many} KiB for many`);
    });
  }
}

/** The most memory that a command has used, in KiB. */
async function peakOf(args: string[], variables: Record<string, string>): Promise<number> {
  await using directory = new Directory();
  const report = `${directory.path}/report`;
  const { code, stderr } = await directory.run(args, {
    env: variables,
    wrapper: [...TIME, "-o", report],
  });
  assert.equal(code, 0, stderr);
  return Number(await Deno.readTextFile(report));
}
