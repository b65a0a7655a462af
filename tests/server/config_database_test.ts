import assert from "node:assert/strict";
import { withTempDir } from "../support.ts";
import { load, problemsOf, type Variables } from "./loaded.ts";

const URL = "postgres://jwks:hunter2hunter2@db.example/tokens";
const SERVER = {
  host: "db.example",
  isSocket: false,
  isTls: true,
  port: 5432,
  user: "jwks",
  password: "hunter2hunter2",
  database: "tokens",
};

Deno.test("loadConfig() takes the URL of a server from DATABASE, or from the file of DATABASE_FILE", async () => {
  await withTempDir(async (directory) => {
    const file = `${directory}/url`;
    await Deno.writeTextFile(file, `${URL}\n`);
    for (const variables of [{ DATABASE: URL }, { DATABASE_FILE: file }]) {
      assert.deepEqual(load(variables).database, { engine: "postgres", server: SERVER });
    }
    await Deno.writeTextFile(file, "data/keys.db");
    assert.deepEqual(load({ DATABASE_FILE: file }).database, {
      engine: "sqlite",
      path: "data/keys.db",
    });
  });
});

Deno.test("loadConfig() refuses a database that is no file and no URL of a server, and never quotes a password", async () => {
  await withTempDir(async (directory) => {
    const file = `${directory}/url`;
    await Deno.writeTextFile(file, `${URL}?sslmode=disable`);
    const refused: Record<string, Variables> = {
      "DATABASE is a value that is not shown; allowed is the path of a file, or a URL postgres://":
        {
          DATABASE: `${URL}?sslmode=disable`,
        },
      "DATABASE is a value that is not shown": { DATABASE: URL.replace("postgres", "mysql") },
      "DATABASE is a value that is not shown; allowed": { DATABASE: URL.replace("//", "/") },
      "DATABASE is a value that is not shown; ": { DATABASE: URL.replace("://", ":") },
      "the value in the file of DATABASE_FILE is a value that is not shown; allowed is the path": {
        DATABASE_FILE: file,
      },
      "DATABASE and DATABASE_FILE are both set": { DATABASE: URL, DATABASE_FILE: file },
      "DATABASE is a value that is not shown; allowed is the path": {
        DATABASE: "host=db.example user=jwks dbname=tokens password=hunter2",
      },
      "DATABASE is a value that is not shown; allowed is the": { DATABASE: "dbname = hunter2" },
      'DATABASE is ":memory:"': { DATABASE: ":memory:" },
    };
    for (const [start, variables] of Object.entries(refused)) {
      const [problem, ...others] = problemsOf(variables);
      assert.ok(problem!.startsWith(start), problem!);
      assert.deepEqual(others, []);
      assert.doesNotMatch(problem!, /hunter2/);
    }
  });
});

Deno.test("loadConfig() says of what libpq takes, and of a password as it is, how they are written", () => {
  for (const DATABASE of ["host=db.example dbname=tokens", "postgres://jwks:a/b#c@db.example/d"]) {
    assert.match(
      problemsOf({ DATABASE })[0]!,
      /# % and spaces in a name or a password are percent-encoded, and pairs \(host=… dbname=…\) are not taken$/,
    );
  }
  assert.equal(load({ DATABASE: "data/localhost=1.db" }).database.engine, "sqlite");
});

Deno.test("loadConfig() says what is wrong with the file of DATABASE_FILE", async () => {
  await withTempDir(async (directory) => {
    await Deno.writeTextFile(`${directory}/empty`, "\n");
    await Deno.writeFile(`${directory}/bytes`, new Uint8Array([0xff]));
    await Deno.writeFile(`${directory}/long`, new Uint8Array(8193).fill(0x61));
    const reasons = {
      missing: "does not exist",
      ".": "is no regular file",
      empty: "is empty",
      bytes: "is not UTF-8",
      long: "has more than 8192 bytes",
    };
    for (const [name, reason] of Object.entries(reasons)) {
      const path = `${directory}/${name}`;
      assert.deepEqual(problemsOf({ DATABASE_FILE: path }), [
        `DATABASE_FILE is ${JSON.stringify(path)}, which ${reason}`,
      ]);
    }
  });
});

Deno.test("loadConfig() takes what says how a server's database is used with a file, too", () => {
  assert.equal(load({ DATABASE: URL }).migrate, true);
  for (const DATABASE of [URL, "data/keys.db"]) {
    const config = load({ DATABASE, MIGRATE: "off", DATABASE_CA_FILE: "/etc/ca.pem" });
    assert.deepEqual([config.migrate, config.databaseCaFile], [false, "/etc/ca.pem"]);
  }
  assert.equal(load({ MIGRATE: "off" }).database.engine, "sqlite");
});

Deno.test("loadConfig() refuses certificates of a database that is not named", () => {
  assert.deepEqual(problemsOf({ DATABASE_CA_FILE: "/etc/ca.pem" }), [
    "DATABASE_CA_FILE is set without DATABASE; allowed is that only with one",
  ]);
  const both = { DATABASE: "a", DATABASE_FILE: "b", DATABASE_CA_FILE: "/etc/ca.pem" };
  assert.equal(problemsOf(both).length, 1);
});
