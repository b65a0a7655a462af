import assert from "node:assert/strict";
import { withWorkplace, type Workplace } from "./workplace.ts";

const ADD = ["users", "add", "alice", "--email", "alice@example.com"];
const SHOW = ["users", "show", "alice"];

/** What a terminal would obey, and what sets a direction (Unicode TR #9). */
const EVIL = "\x1b[2J\x1b]0;title\x07\r\nfake: row\u2028\u202ereversed\x9b31m";
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e]/u;

function assertTame(text: string): void {
  for (const line of text.split("\n")) assert.doesNotMatch(line, OBEYED);
}

/** Stores a credential with its times in milliseconds, as the server might. */
function addCredential(
  workplace: Workplace,
  ...[type, kid, value, createdAt, validUntil, lastUsed]: (string | number | null)[]
): void {
  workplace.tamper((database) =>
    database.run(
      "INSERT INTO client_credentials (user_id, type, kid, value, created_at, valid_until, last_used) " +
        "VALUES (1, ?, ?, ?, ?, ?, ?)",
      ...[type!, kid!, value!, createdAt!, validUntil!, lastUsed!],
    )
  );
}

Deno.test("users show gives a user without a policy what a client has by default", async () => {
  await withWorkplace(async (workplace) => {
    await workplace.run(ADD);
    const shown = JSON.parse(await workplace.run([...SHOW, "--json"]));
    assert.match(shown.date_registered, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    assert.deepEqual(shown, {
      id: 1,
      username: "alice",
      email: "alice@example.com",
      state: "enabled",
      date_registered: shown.date_registered,
      last_login: null,
      policy: {
        scopes: [],
        audiences: [],
        claims: {},
        token_ttl: null,
        require_dpop: false,
        note: null,
      },
      credentials: [{
        type: "password",
        state: "current",
        kid: null,
        alg: null,
        made: null,
        valid_until: null,
        last_used: null,
      }],
    });
    const text = await workplace.run(SHOW);
    assert.match(text, /^username {4}alice$/m);
    assert.match(text, /^state {7}enabled$/m);
    assert.match(text, /^token life {2}the server's$/m);
    assert.match(text, /^current password/m);
    await workplace.run(["users", "disable", "alice"]);
    assert.match(await workplace.run(SHOW), /^state {7}disabled$/m);
  }, { alg: "ES256" });
});

Deno.test("users show says of each credential when it was made, ends and was used last", async () => {
  await withWorkplace(async (workplace) => {
    await workplace.run(ADD);
    const end = Date.UTC(2999, 0, 1);
    addCredential(workplace, "password", null, "$argon2id$replaced", 1000, end, null);
    addCredential(workplace, "key", "k1", '{"alg":"ES256"}', 60_000, null, 120_000);
    addCredential(workplace, "key", "k2", "no key", 60_000, 61_000, null);
    const { credentials } = JSON.parse(await workplace.run([...SHOW, "--json"]));
    const made = "1970-01-01T00:01:00.000Z";
    assert.deepEqual(credentials.slice(1), [
      {
        ...{ type: "password", state: "replaced", kid: null, alg: null, made: null },
        ...{ valid_until: "2999-01-01T00:00:00.000Z", last_used: null },
      },
      {
        ...{ type: "key", state: "valid", kid: "k1", alg: "ES256", made },
        ...{ valid_until: null, last_used: "1970-01-01T00:02:00.000Z" },
      },
      {
        ...{ type: "key", state: "ended", kid: "k2", alg: null, made },
        ...{ valid_until: "1970-01-01T00:01:01.000Z", last_used: null },
      },
    ]);
    const text = await workplace.run(SHOW);
    assert.match(text, /^replaced password .*2999-01-01 00:00:00Z +never$/m);
    assert.match(text, /^valid key +k1 +ES256 +1970-01-01 00:01:00Z +1970-01-01 00:02:00Z$/m);
  }, { alg: "ES256" });
});

Deno.test("users show prints no password's hash", async () => {
  await withWorkplace(async (workplace) => {
    await workplace.run(ADD);
    await workplace.run(["users", "rotate-password", "alice"]);
    for (const args of [SHOW, [...SHOW, "--json"]]) {
      const { stdout, stderr } = await workplace.execute(args);
      assert.match(stdout, /replaced/);
      assert.doesNotMatch(stdout + stderr, /argon2|\$v=|m=\d/);
    }
  }, { alg: "ES256" });
});

Deno.test("users show prints nothing raw of names, notes, claims and kids", async () => {
  await withWorkplace(async (workplace) => {
    await workplace.run(ADD);
    addCredential(workplace, "key", EVIL, JSON.stringify({ alg: EVIL }), 1000, null, null);
    await workplace.run(["users", "set", "alice", "--note", EVIL, "--claim", `c=${EVIL}`]);
    workplace.tamper((database) =>
      database.run("UPDATE users SET username = ?, email = ?, last_login = ?", EVIL, EVIL, EVIL)
    );
    const show = ["users", "show", EVIL];
    assertTame(await workplace.run(show));
    const json = await workplace.run([...show, "--json"]);
    assertTame(json);
    const { username, policy, credentials } = JSON.parse(json);
    assert.deepEqual([username, policy.note, policy.claims.c], [EVIL, EVIL, EVIL]);
    assert.equal(credentials[1].kid, EVIL);
  }, { alg: "ES256" });
});

Deno.test("The commands on a client fail with exit code 1 when there is no such user", async () => {
  await withWorkplace(async (workplace) => {
    const file = `${workplace.directory}/key`;
    const jwk = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };
    await Deno.writeTextFile(file, JSON.stringify(jwk));
    const commands = [
      ["show", EVIL],
      ["set", EVIL, "--note", "x"],
      ["rotate-password", EVIL],
      ["add-key", EVIL, file],
      ["remove-key", EVIL, "kid"],
      ["delete", EVIL],
    ];
    for (const args of commands) {
      const { stdout, stderr } = await workplace.execute(["users", ...args]);
      assert.equal(stdout, "");
      assert.match(stderr, /^jwks-server: error: there is no user of this name\n/, args.join(" "));
      assert.equal(await workplace.exitCode(["users", ...args]), 1);
    }
  }, { alg: "ES256" });
});

Deno.test("users show refuses a policy that is none, with exit code 78", async () => {
  await withWorkplace(async (workplace) => {
    await workplace.run(ADD);
    await workplace.run(["users", "set", "alice", "--note", "x"]);
    workplace.tamper((database) => database.run("UPDATE client_policies SET policy = '{'"));
    assert.equal(await workplace.exitCode(SHOW), 78);
  }, { alg: "ES256" });
});
