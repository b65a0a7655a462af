import assert from "node:assert/strict";
import { addHugeRow, addLogRow, alterRow, damageLastPage, damageTable, HUGE } from "./damage.ts";
import { generatePrivateJwk } from "../../lib/keys/signing_key.ts";
import { withWorkplace } from "./workplace.ts";

Deno.test("keys plan tells the row of the log whose timestamp has another form, and goes on", async () => {
  await withWorkplace(async (workplace) => {
    const id = workplace.tamper((database) => addLogRow(database, "2999-01-01T00:00:00Z"));
    const table = await workplace.run(["keys", "plan"]);
    assert.match(table, /is published/);
    assert.match(table, new RegExp(`row ${id} of auth_logs has a timestamp that is no time`));
    const { events, if_revoked_now } = JSON.parse(await workplace.run(["keys", "plan", "--json"]));
    assert.ok(events.length > 0);
    assert.match(if_revoked_now.problem, new RegExp(`row ${id} of auth_logs`));
    const finding = (await workplace.examine()).find(({ check }) => check === "clock");
    assert.match(finding!.message, new RegExp(`row ${id} of auth_logs`));
    assert.equal(finding!.status, "warning");
  }, { alg: "ES256" });
});

Deno.test("keys list, keys plan and doctor name a row that holds no key's numbers, and go on", async () => {
  const rows: [string, string][] = [
    [HUGE, `(${HUGE}, x'00', 1)`],
    ["7", "(7, x'00', 9007199254740993)"],
    ["7", "(7, x'00', 'never')"],
    ["7", "(7, 'text', 1)"],
    ["-9007199254740993", "(-9007199254740993, x'00', 1)"],
  ];
  for (const [id, row] of rows) {
    await withWorkplace(async (workplace) => {
      workplace.tamper((database) => database.run(`INSERT INTO keys VALUES ${row}`));
      for (const command of ["list", "plan"]) {
        const { stdout, stderr, error } = await workplace.execute(["keys", command]);
        assert.equal(error, undefined, `${command} ${row}`);
        assert.ok(stdout.split("\n").length > 2);
        assert.ok(stderr.includes(id), stderr);
      }
      const findings = await workplace.examine();
      const problems = findings.filter(({ status }) => status === "problem");
      assert.deepEqual(problems.map(({ check }) => check), ["key"]);
      assert.ok(problems[0]!.message.includes(`row ${id} of the table keys`));
      assert.ok(findings.some(({ check, status }) => check === "schedule" && status === "ok"));
    }, { alg: "ES256" });
  }
});

Deno.test("doctor makes every check that can be made, whatever is wrong with the others", async () => {
  await withWorkplace(async (workplace) => {
    const sound = Object.keys(await workplace.findings());
    const [first] = await workplace.keys();
    workplace.tamper((database) => {
      addLogRow(database, "2999-01-01 00:00:00");
      addHugeRow(database);
      alterRow(database, first!.kid);
    });
    await damageTable(workplace, "auth_logs");
    const findings = await workplace.findings({ KEY_ROTATION: "30d" });
    assert.deepEqual(sound.filter((check) => !(check in findings)), []);
    const bad = ["database", "clock", "proxies", "key"].map((check) => findings[check]);
    assert.deepEqual(bad, ["problem", "problem", "problem", "problem"]);
    assert.deepEqual([findings.secret, findings.policy], ["ok", "warning"]);
    assert.equal(await workplace.exitCode(["doctor"]), 1);
  }, { alg: "ES256", rotation: 40 * 86_400 });
});

Deno.test("doctor names the page of the log that is damaged", async () => {
  await withWorkplace(async (workplace) => {
    workplace.tamper((database) =>
      database.transaction(() => {
        for (let row = 0; row < 1000; row++) addLogRow(database, "2999-01-01 00:00:00");
      })
    );
    const page = await damageLastPage(workplace);
    const [database] = await workplace.examine();
    assert.deepEqual([database!.check, database!.status], ["database", "problem"]);
    assert.match(database!.message, new RegExp(`\\bpage ${page}\\b`));
    const [first] = await workplace.keys();
    assert.match(await workplace.run(["keys", "revoke", first!.kid]), /is revoked/);
  }, { alg: "ES256" });
});

Deno.test("logs and users list show rows whose columns hold other things than text, and go on", async () => {
  await withWorkplace(async (workplace) => {
    await workplace.run(["users", "add", "alice", "--email", "alice@example.com"]);
    workplace.tamper((database) => {
      database.run("UPDATE users SET password_hash = CAST(password_hash AS BLOB)");
      database.run("INSERT INTO users VALUES (9007199254740993, 'bob', 'x', 'b@c.d', 5, x'41')");
      database.run("INSERT INTO auth_logs VALUES (1, x'41', 5, 1)");
      database.run("INSERT INTO auth_logs VALUES (9007199254740993, '::1', x'42', NULL)");
    });
    const users = await workplace.run(["users", "list"]);
    assert.match(users, /^1 +alice/m);
    assert.match(users, /^9007199254740993 +bob/m);
    const logs = await workplace.run(["logs"]);
    assert.match(logs, /^5 +A +alice$/m);
    assert.match(logs, /^B +::1 +\(refused\)$/m);
    await workplace.run(["users", "disable", "alice"]);
    await workplace.run(["users", "reset-password", "alice"]);
  }, { alg: "ES256" });
});

Deno.test("keys revoke works although the users are damaged", async () => {
  await withWorkplace(async (workplace) => {
    const [key] = await workplace.keys();
    await damageTable(workplace, "users");
    assert.match(await workplace.run(["keys", "revoke", key!.kid]), /is revoked/);
  }, { alg: "ES256" });
});

Deno.test("keys import refuses a key while a row cannot be opened, which could be the same one", async () => {
  await withWorkplace(async (workplace) => {
    const jwk = { ...await generatePrivateJwk("ES256"), kid: "first" };
    const file = `${workplace.directory}/key.jwk`;
    await Deno.writeTextFile(file, JSON.stringify(jwk));
    await workplace.run(["keys", "import", file]);
    const alter = (change: string) =>
      workplace.tamper((database) => {
        const sql = `UPDATE keys SET exp = exp ${change} 1 WHERE kid = (SELECT max(kid) FROM keys)`;
        database.run(sql);
      });
    alter("+");
    const error = await workplace.refused(["keys", "import", file, "--kid", "second"]);
    assert.equal(error.code, "key_unreadable");
    alter("-");
    assert.deepEqual((await workplace.keys()).filter(({ kid }) => kid === "second"), []);
  }, { alg: "ES256" });
});
