import assert from "node:assert/strict";
import { COMMANDS, nameOf } from "./command_lines.ts";
import { withWorkplace } from "./workplace.ts";

/** Settings with which no server would start. */
const BROKEN = { PORT: "none", NOT_MY_KEY: "short" };

Deno.test("every command with --help shows the usage and an example, whatever is set", async () => {
  await withWorkplace(async (workplace) => {
    for (const name of COMMANDS.map(nameOf)) {
      const help = await workplace.run([...name, "--help"], BROKEN);
      assert.match(help, new RegExp(`^Usage: jwks-server ${name.join(" ")} `));
      assert.match(help, new RegExp(`^Example:\n  \\$ .*jwks-server ${name.join(" ")}`, "m"));
    }
  });
});

Deno.test("the help of a command says which options it does nothing without, and of no others", async () => {
  await withWorkplace(async (workplace) => {
    const required: string[] = [];
    for (const name of COMMANDS.map(nameOf)) {
      const help = (await workplace.run([...name, "--help"])).replace(/\n {20,}/g, " ");
      for (const [, flag] of help.matchAll(/^ {2}(--[\w-]+) .*\(required\)$/gm)) {
        required.push(`${name.join(" ")} ${flag}`);
      }
    }
    assert.deepEqual(required, ["users add --email"]);
  });
});

Deno.test("the help of what does otherwise on a PostgreSQL server says so, in lines that a terminal shows", async () => {
  await withWorkplace(async (workplace) => {
    for (
      const [name, told] of Object.entries({
        copy:
          /which is only\s+read[^]*createdb\s+--encoding=UTF8[^]*\$ DATABASE_FILE=\S+ jwks-server copy/,
        migrate: /MIGRATE is off[^]*GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES/,
        backup: /exit code 2[^]*PGPASSFILE/,
        doctor: /Warnings alone end with exit code 0[^]*PostgreSQL/,
      })
    ) {
      const help = await workplace.run([name, "--help"], BROKEN);
      assert.match(help, told);
      for (const line of help.split("\n")) assert.ok(line.length <= 80, line);
    }
  });
});

/** What is misused, and whose help is named. */
const MISUSES: [args: string, help: string][] = [
  ["users add name", "jwks-server users add --help shows what it takes"],
  ["users add name --emial x", "jwks-server users add --help shows what it takes"],
  ["users nope", "jwks-server users --help shows the commands"],
  ["keys export 1 --format der", "jwks-server keys export --help shows what it takes"],
  ["serve more", "jwks-server serve --help shows what it takes"],
  ["nope keys", "jwks-server --help shows the commands"],
  ["--nope", "jwks-server --help shows the commands"],
];

Deno.test("what is misused is answered with the help of the command that is meant", async () => {
  await withWorkplace(async (workplace) => {
    for (const [args, help] of MISUSES) {
      const { code, hints } = await workplace.refused(args.split(" "));
      assert.equal(code, "usage");
      assert.deepEqual(hints, [help], args);
    }
  });
});
