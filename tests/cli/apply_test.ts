import assert from "node:assert/strict";
import { exportJWK, generateKeyPair } from "jose";
import { withWorkplace, type Workplace } from "./workplace.ts";

const PASSWORD = "a password of these tests";
const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
const PUBLIC = await exportJWK(publicKey);
const PRIVATE = await exportJWK(privateKey);

/** Runs `body` with the path of a file that it may fill, beside a password file. */
async function withFile(
  body: (workplace: Workplace, write: (clients: unknown[]) => Promise<string>) => Promise<void>,
): Promise<void> {
  await withWorkplace(async (workplace) => {
    await Deno.writeTextFile(`${workplace.directory}/password`, `${PASSWORD}\n`);
    const write = async (clients: unknown[]) => {
      const file = `${workplace.directory}/clients.json`;
      await Deno.writeTextFile(file, JSON.stringify({ clients }));
      return file;
    };
    await body(workplace, write);
  }, { alg: "ES256" });
}

/** What the tables hold of clients. */
function rows(workplace: Workplace): unknown[][] {
  return workplace.tamper((database) =>
    ["users", "client_policies", "client_credentials", "tombstones"].map((table) =>
      database.all(`SELECT * FROM ${table}`)
    )
  ) as unknown[][];
}

Deno.test("apply makes what the file says, tells it, and changes nothing the second time", async () => {
  await withFile(async (workplace, write) => {
    await workplace.run(["users", "add", "old", "--email", "old@example.com"]);
    const file = await write([
      { username: "reporting", password_file: "password", policy: { scopes: ["read"] } },
      { username: "batch", keys: [{ ...PUBLIC, kid: "2026", note: "not stored" }] },
    ]);
    const args = ["apply", file, "--prune"];
    const told = [
      "+ client batch",
      "+ key 2026 of client batch",
      "- client old",
      "+ client reporting",
    ].join("\n");
    const before = rows(workplace);
    assert.equal(
      await workplace.run([...args, "--dry-run"]),
      `${told}\nNothing is changed: this only tells what would be`,
    );
    assert.deepEqual(rows(workplace), before);
    assert.equal(await workplace.run(args), told);
    const after = rows(workplace);
    assert.equal(await workplace.run(args), "Nothing changes");
    assert.equal(await workplace.run([...args, "--dry-run"]), "Nothing changes");
    assert.deepEqual(rows(workplace), after);
    const [{ value }] = after[2] as [{ value: string }];
    assert.deepEqual(JSON.parse(value), { ...PUBLIC, alg: "ES256", use: "sig", kid: "2026" });
  });
});

Deno.test("apply refuses a file with problems by their JSON paths, with exit code 78, and stores nothing", async () => {
  await withFile(async (workplace, write) => {
    const before = rows(workplace);
    const file = await write([
      { username: "right", password_file: "password" },
      { username: "private", keys: [PRIVATE] },
      { username: "long", password_file: "password", policy: { token_ttl: "61m" } },
    ]);
    const { code, hints } = await workplace.refused(["apply", file], { TOKEN_TTL: "2h" });
    assert.equal(code, "configuration");
    assert.equal(hints.length, 2);
    assert.match(hints[0]!, /^\$\.clients\[1\]\.keys\[0\]: The key is refused: it has private/);
    assert.match(hints[1]!, /^\$\.clients\[2\]\.policy\.token_ttl: .* at most 1h/);
    assert.ok(!hints.join().includes(PRIVATE.d!));
    for (const args of [[file], [file, "--dry-run"], [`${file}.none`], [workplace.directory]]) {
      assert.equal(await workplace.exitCode(["apply", ...args]), 78, args.join(" "));
    }
    assert.deepEqual(rows(workplace), before);
  });
});

Deno.test("apply knows a key without a kid by its thumbprint, as users add-key does", async () => {
  await withFile(async (workplace, write) => {
    const file = await write([{ username: "a", password_file: "password", keys: [PUBLIC] }]);
    await workplace.run(["apply", file]);
    const key = `${workplace.directory}/key`;
    await Deno.writeTextFile(key, JSON.stringify(PUBLIC));
    await workplace.run(["apply", await write([{ username: "a", password_file: "password" }])]);
    await workplace.run(["users", "add-key", "a", key]);
    const again = await write([{ username: "a", password_file: "password", keys: [PUBLIC] }]);
    assert.equal(await workplace.run(["apply", again]), "Nothing changes");
  });
});

Deno.test("a client that apply gave keys alone is shown without a password", async () => {
  await withFile(async (workplace, write) => {
    await workplace.run(["apply", await write([{ username: "batch", keys: [PUBLIC] }])]);
    const shown = JSON.parse(await workplace.run(["users", "show", "batch", "--json"]));
    assert.deepEqual(shown.credentials.map(({ type }: { type: string }) => type), ["key"]);
  });
});

Deno.test("apply --schema prints the JSON Schema and needs no database; apply alone is refused", async () => {
  await withFile(async (workplace) => {
    const env = { DATABASE: `${workplace.directory}/none` };
    const schema = JSON.parse(await workplace.run(["apply", "--schema"], env));
    assert.match(schema.$schema, /json-schema\.org/);
    assert.deepEqual(schema.required, ["clients"]);
    assert.equal(await workplace.exitCode(["apply"]), 2);
  });
});
