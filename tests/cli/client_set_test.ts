import assert from "node:assert/strict";
import { withWorkplace, type Workplace } from "./workplace.ts";

const SET = ["users", "set", "alice"];

async function withAlice(body: (workplace: Workplace) => Promise<void>, tokenTtl = 3600) {
  await withWorkplace(async (workplace) => {
    await workplace.run(["users", "add", "alice", "--email", "alice@example.com"]);
    await body(workplace);
  }, { alg: "ES256", tokenTtl });
}

async function policyOf(workplace: Workplace) {
  return JSON.parse(await workplace.run(["users", "show", "alice", "--json"])).policy;
}

const FULL = [
  ...["--scope", "read", "--scope", "write", "--scope", "read"],
  ...["--audience", "https://api.example", "--audience", "urn:x:y"],
  ...["--claim", "tenant=acme", "--claim", 'roles=["a","b"]', "--claim", "level=3"],
  ...["--token-ttl", "10m", "--require-dpop", "--note", "for the nightly report"],
];

const FULL_POLICY = {
  scopes: ["read", "write"],
  audiences: ["https://api.example", "urn:x:y"],
  claims: { tenant: "acme", roles: ["a", "b"], level: 3 },
  token_ttl: 600,
  require_dpop: true,
  note: "for the nightly report",
};

Deno.test("users set stores every member and prints the policy as it is now", async () => {
  await withAlice(async (workplace) => {
    const text = await workplace.run([...SET, ...FULL]);
    assert.deepEqual(await policyOf(workplace), FULL_POLICY);
    assert.deepEqual(text.split("\n"), [
      "The policy of the user alice is now:",
      "scopes      read write",
      "audiences   https://api.example, urn:x:y",
      'claims      {"tenant":"acme","roles":["a","b"],"level":3}',
      "token life  10m",
      "DPoP        required",
      "note        for the nightly report",
    ]);
  });
});

Deno.test("users set replaces the members that are named and no other", async () => {
  await withAlice(async (workplace) => {
    const changes: [string[], Record<string, unknown>][] = [
      [["--scope", "admin"], { scopes: ["admin"] }],
      [["--scope", ""], { scopes: [] }],
      [["--audience", "other"], { audiences: ["other"] }],
      [["--audience", ""], { audiences: [] }],
      [["--token-ttl", "1m"], { token_ttl: 60 }],
      [["--token-ttl", ""], { token_ttl: null }],
      [["--no-require-dpop"], { require_dpop: false }],
      [["--note", "-other"], { note: "-other" }],
      [["--note", ""], { note: null }],
      [["--claim", "level=4"], { claims: { tenant: "acme", roles: ["a", "b"], level: 4 } }],
      [["--claim", "level="], { claims: { tenant: "acme", roles: ["a", "b"] } }],
      [["--claim", 'level=""'], { claims: { tenant: "acme", roles: ["a", "b"], level: "" } }],
      [["--claim", ""], { claims: {} }],
      [["--claim", "", "--claim", "a=b=c"], { claims: { a: "b=c" } }],
    ];
    for (const [args, changed] of changes) {
      await workplace.run([...SET, ...FULL]);
      await workplace.run([...SET, ...args]);
      assert.deepEqual(await policyOf(workplace), { ...FULL_POLICY, ...changed }, args.join(" "));
    }
  });
});

Deno.test("users set takes a claim's value as JSON if it is that, and as text if not", async () => {
  await withAlice(async (workplace) => {
    const claims: [string, unknown][] = [
      ["true", true],
      ["null", null],
      ["1.5", 1.5],
      ['{"a":[1]}', { a: [1] }],
      ['"3"', "3"],
      ["{a}", "{a}"],
      ["two\nlines", "two\nlines"],
    ];
    for (const [text, value] of claims) {
      await workplace.run([...SET, "--claim", `c=${text}`]);
      assert.deepEqual((await policyOf(workplace)).claims, { c: value });
    }
  });
});

Deno.test("users set names every problem with exit code 2, and changes nothing then", async () => {
  await withAlice(async (workplace) => {
    await workplace.run([...SET, ...FULL]);
    const args = [
      ...[...SET, "--note", "n".repeat(1025), "--token-ttl", "2h", "--scope", "ok"],
      ...[
        "--scope",
        "two words",
        "--audience",
        "no uri:",
        "--claim",
        "iss=me",
        "--claim",
        "cnf={}",
      ],
      ...["--claim", "novalue", "--claim", "__proto__=1", "--claim", "id=12345678901234567890"],
    ];
    const { code, hints } = await workplace.refused(args);
    assert.equal(code, "usage");
    for (
      const problem of [
        /^--note: /,
        /^--token-ttl is 2h; allowed is at most 1h/,
        /^--scope "two words": a scope is printable ASCII/,
        /^--audience "no uri:": /,
        /^--claim iss: the claim iss is set by the server/,
        /^--claim cnf: the claim cnf is set by the server/,
        /^--claim "novalue": allowed is name=value/,
        /^--claim __proto__: /,
        /^--claim id: the number is too large to be exact/,
      ]
    ) assert.equal(hints.filter((hint) => problem.test(hint)).length, 1, `${problem} ${hints}`);
    assert.equal(hints.length, 9);
    assert.equal(await workplace.exitCode(args), 2);
    assert.deepEqual(await policyOf(workplace), FULL_POLICY);
  });
});

Deno.test("users set refuses each problem alone, with exit code 2", async () => {
  await withAlice(async (workplace) => {
    for (
      const args of [
        [],
        ["--token-ttl", "2h"],
        ["--token-ttl", "0s"],
        ["--token-ttl", "soon"],
        ["--claim", "sub=bob"],
        ["--claim", "=1"],
        ["--claim", `big=${"x".repeat(4096)}`],
        ["--scope", 'quo"te'],
        ["--audience", "\x1b[2J"],
      ]
    ) {
      assert.equal(await workplace.exitCode([...SET, ...args]), 2, args.join(" "));
      const { stderr } = await workplace.execute([...SET, ...args]);
      // deno-lint-ignore no-control-regex -- control characters are what is looked for
      assert.doesNotMatch(stderr, /[\x00-\x09\x0b-\x1f]/);
    }
    const stored = workplace.tamper((database) => database.all("SELECT * FROM client_policies"));
    assert.deepEqual(stored, []);
  });
});

Deno.test("users set allows the token life of the database's policy, whatever the shell says", async () => {
  await withAlice(async (workplace) => {
    const ttl = workplace.tamper((database) =>
      database.get<{ value: Uint8Array }>("SELECT value FROM meta WHERE name = 'policy'")
    );
    assert.ok(ttl !== undefined, "the server's policy is stored");
    await workplace.run([...SET, "--token-ttl", "10m"], { TOKEN_TTL: "5m" });
    assert.equal((await policyOf(workplace)).token_ttl, 600);
    const refusal = await workplace.refused([...SET, "--token-ttl", "601s"], { TOKEN_TTL: "1h" });
    assert.match(refusal.hints[0]!, /601s; allowed is at most 10m/);
    workplace.tamper((database) => database.run("DELETE FROM meta WHERE name = 'policy'"));
    await workplace.run([...SET, "--token-ttl", "30m"], { TOKEN_TTL: "30m" });
    assert.equal(await workplace.exitCode([...SET, "--token-ttl", "31m"], { TOKEN_TTL: "30m" }), 2);
  }, 600);
});

Deno.test("users set puts a policy in the place of a damaged one, and warns", async () => {
  await withAlice(async (workplace) => {
    await workplace.run([...SET, ...FULL]);
    workplace.tamper((database) => database.run("UPDATE client_policies SET policy = '{'"));
    const { stderr, error } = await workplace.execute([...SET, "--scope", "read"]);
    assert.equal(error, undefined);
    assert.match(stderr, /^jwks-server: warning: what was stored is no policy/);
    const { scopes, require_dpop, note } = await policyOf(workplace);
    assert.deepEqual([scopes, require_dpop, note], [["read"], false, null]);
    const { stderr: again } = await workplace.execute([...SET, "--scope", "read"]);
    assert.equal(again, "");
  });
});

Deno.test("users set --help tells which options replace a whole list, and which does not, as it is", async () => {
  await withAlice(async (workplace) => {
    const help = (await workplace.run(["users", "set", "--help"])).replace(/\n {10,}/g, " ");
    for (const list of ["--scope <scope>", "--audience <audience>"]) {
      assert.match(help, new RegExp(`^  ${list} .*repeatable, replaces the whole list$`, "m"));
    }
    assert.match(help, /^ {2}--claim <name=value> .*repeatable, leaves other claims$/m);
    await workplace.run([...SET, ...FULL]);
    await workplace.run([...SET, "--scope", "new", "--audience", "urn:new", "--claim", "new=1"]);
    const { scopes, audiences, claims } = await policyOf(workplace);
    assert.deepEqual([scopes, audiences], [["new"], ["urn:new"]]);
    assert.deepEqual(claims, { ...FULL_POLICY.claims, new: 1 });
  });
});
