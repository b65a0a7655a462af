import assert from "node:assert/strict";
import { createWarnings } from "../../lib/cli/output.ts";
import { addLogRow } from "./damage.ts";
import { withWorkplace } from "./workplace.ts";

/** What terminals obey, in the words of whoever wants to be obeyed. */
const EVIL =
  "\x1b[2J\x1b]0;title\x07\x9b31m\r\nfake row\n\u2028\u202ereversed\u2066\u200f\u061c\ufeff\x85\x7f";

/** Control characters, separators of lines, and what sets a direction (Unicode TR #9). */
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;

/** Asserts that nothing in `text` moves a cursor, and that it has this many lines. */
function assertTame(text: string, lines?: number): void {
  for (const line of text.split("\n")) assert.doesNotMatch(line, OBEYED);
  if (lines !== undefined) assert.equal(text.trimEnd().split("\n").length, lines, text);
}

Deno.test("users list, logs and keys list print nothing raw that stands in their rows", async () => {
  await withWorkplace(async (workplace) => {
    workplace.tamper((database) => {
      const sql =
        "INSERT INTO users (username, email, password_hash, date_registered, last_login) " +
        "VALUES (?, ?, 'x', ?, ?)";
      database.run(sql, EVIL, EVIL, EVIL, EVIL);
      const id = addLogRow(database, `2999${EVIL}`, EVIL);
      database.run("UPDATE auth_logs SET user_id = 1 WHERE id = ?", id);
      database.run("INSERT INTO keys VALUES (5, 'text', 1)");
      database.run("UPDATE keys SET exp = ? WHERE kid = 5", EVIL);
    });
    const table = await workplace.run(["users", "list"]);
    assertTame(table, 2);
    const [headings, row] = table.split("\n");
    assert.ok(row!.slice(headings!.indexOf("STATE")).startsWith("enabled"), "a column is moved");
    assertTame(await workplace.run(["logs"]), 2);
    for (const args of [["keys", "list"], ["keys", "plan"], ["doctor"]]) {
      const { stdout, stderr } = await workplace.execute(args);
      assertTame(stdout);
      assertTame(stderr);
    }
    const users = await workplace.run(["users", "list", "--json"]);
    assertTame(users);
    assert.equal(JSON.parse(users)[0].username, EVIL);
    const logs = await workplace.run(["logs", "--json"]);
    assertTame(logs, 1);
    assert.equal(JSON.parse(logs).ip, EVIL);
    const plan = await workplace.run(["keys", "plan", "--json"]);
    assertTame(plan);
    const findings = await workplace.run(["doctor", "--json"]).catch(String);
    assertTame(findings);
  }, { alg: "ES256" });
});

Deno.test("Commands print nothing raw of their arguments and of the environment", async () => {
  await withWorkplace(async (workplace) => {
    const own = `${workplace.directory}/${EVIL.replaceAll("/", "")}`;
    const commands = [
      [EVIL],
      ["keys", EVIL],
      ["users", "disable", EVIL],
      ["users", "reset-password", EVIL],
      ["users", "add", EVIL, "--email", "a@b.example"],
      ["users", "add", "alice", "--email", EVIL],
      ["users", "list", `--${EVIL}`],
      ["keys", "revoke", EVIL],
      ["keys", "export", EVIL],
      ["keys", "plan", "--until", EVIL],
      ["keys", "import", own],
      ["keys", "import", own, "--kid", EVIL],
      ["keys", "import", own, "--alg", EVIL],
      ["rekey", "--secret-file", own],
      ["backup", `${own}/none`],
    ];
    for (const args of commands) {
      const { stdout, stderr, error } = await workplace.execute(args);
      assert.ok(error instanceof Error, args.join(" "));
      assert.match(stderr, /^jwks-server: error: /);
      assertTame(stderr);
      assertTame(stdout);
      const unprefixed = stderr.trimEnd().split("\n").filter((line) =>
        !/^jwks-server: /.test(line)
      );
      assert.deepEqual(unprefixed, []);
    }
    for (const name of ["PORT", "HOST", "DATABASE", "ISSUER"]) {
      const { stderr } = await workplace.execute(["keys", "list"], { [name]: EVIL });
      assertTame(stderr);
    }
    const { stdout, error } = await workplace.execute(["backup", own]);
    assert.equal(error, undefined);
    assertTame(stdout, 1);
    assert.ok((await Deno.stat(own)).isFile);
  }, { alg: "ES256" });
});

Deno.test("createWarnings() says each warning on one line, with nothing raw in it", async () => {
  await withWorkplace(async (workplace) => {
    workplace.tamper((database) =>
      database.run("UPDATE meta SET value = ? WHERE name = 'policy'", EVIL)
    );
    const { stderr } = await workplace.execute(["keys", "list"]);
    assertTame(stderr, 1);
    assert.match(stderr, /^jwks-server: warning: the policy in the database/);
  }, { alg: "ES256" });
  const lines: string[] = [];
  createWarnings((line) => void lines.push(line)).warn("It is odd", {
    stack: "at x",
    rows: ["a", "b"],
  });
  assert.deepEqual(lines, ["jwks-server: warning: it is odd (rows: a; b)"]);
});
