import assert from "node:assert/strict";
import { base64url, type JWK } from "jose";
import { Buffer } from "node:buffer";
import { Directory, Server } from "./harness.ts";
import { keyHeader, type KeyRow, keyRows, openKeys, settled } from "./keys.ts";

const SECRET = "a secret for tests only";
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi"] as const;

/** What a clean stop and what a SIGKILL leave behind. */
const stopped = new Directory();
const killed = new Directory();
Deno.test.beforeAll(async () => {
  for (const [directory, signal] of [[stopped, "SIGTERM"], [killed, "SIGKILL"]] as const) {
    const server = await Server.start({
      directory,
      env: { NOT_MY_KEY: SECRET, SIGNING_ALG: "RS256" },
    });
    await settled(server);
    await server.register();
    await server.stop(signal);
  }
});
Deno.test.afterAll(async () => {
  await stopped[Symbol.asyncDispose]();
  await killed[Symbol.asyncDispose]();
});

Deno.test("a stored key is an encrypted JWK in compact form", async () => {
  await using directory = await stopped.copy();
  const rows = keyRows(directory);
  assert.equal(rows.length, 3);
  for (const row of rows) {
    const text = new TextDecoder().decode(row.key);
    assert.match(text, /^[\w-]+\.\.[\w-]{16}\.[\w-]+\.[\w-]{22}$/); // alg dir: no encrypted key
    const { sign_from, sign_until, ...rest } = keyHeader(row);
    const { kid, exp } = row;
    const content = { alg: "dir", enc: "A256GCM", cty: "jwk+json" };
    assert.deepEqual(rest, { ...content, kid: String(kid), exp });
    assert.ok(sign_from <= sign_until && sign_until <= exp);
  }
  const ivs = rows.map(({ key }) => new TextDecoder().decode(key).split(".")[2]);
  assert.equal(new Set(ivs).size, rows.length);
});

Deno.test("a stored key opens with any JOSE tool and the secret, and is the published one", async () => {
  await using directory = await stopped.copy();
  const opened = await openKeys(directory, SECRET);
  await using server = await Server.start({
    directory,
    env: { NOT_MY_KEY: SECRET, SIGNING_ALG: "RS256" },
  });
  for (const { kid, n, e } of (await server.jwks()).json.keys) {
    const key = opened.find((key) => key.kid === kid)!;
    assert.deepEqual([key.n, key.e], [n, e]);
    for (const member of PRIVATE_MEMBERS) assert.match(key[member] as string, /^[\w-]+$/);
  }
});

Deno.test("no private member of any key is in the files, in any of its notations", async () => {
  for (const original of [stopped, killed]) {
    await using directory = await original.copy();
    const files = await directory.files();
    const opened: JWK[] = await openKeys(directory, SECRET);
    assert.equal(opened.length, 3);
    for (const [name, bytes] of files) {
      const content = Buffer.from(bytes);
      assert.ok(!content.includes("PRIVATE KEY"), name);
      for (const member of opened.flatMap((key) => PRIVATE_MEMBERS.map((name) => key[name]))) {
        const raw = Buffer.from(base64url.decode(member as string));
        for (const form of [raw, member as string, raw.toString("base64"), raw.toString("hex")]) {
          assert.ok(!content.includes(form), name);
        }
      }
    }
  }
});

for (const [how, original] of [["a clean stop", stopped], ["a SIGKILL", killed]] as const) {
  Deno.test(`a wrong secret after ${how} is told with exit code 78, and changes nothing`, async () => {
    await using directory = await original.copy();
    const before = await directory.digests();
    const wrong = "another secret for tests";
    const outcome = await directory.run([], { env: { PORT: "0", NOT_MY_KEY: wrong } });
    assert.equal(outcome.code, 78);
    assert.equal(outcome.stdout, "");
    assert.match(outcome.stderr, /^jwks-server: error: the secret is not the one/m);
    assert.match(outcome.stderr, /^jwks-server: hint: set NOT_MY_KEY/m);
    assert.ok(!outcome.stderr.includes(wrong));
    assert.deepEqual(await directory.digests(), before);
  });
}

/** Changes to the rows that somebody with write access could make, and the row they are seen in. */
const changes: Record<string, (rows: KeyRow[], run: (sql: string) => void) => KeyRow> = {
  "altered in its content": ([row], run) => {
    // The tenth character before the authentication tag becomes another one.
    const at = row!.key.lastIndexOf(0x2e) - 10;
    const other = row!.key[at] === 0x41 ? "B" : "A";
    const changed = `substr(key, 1, ${at}) || '${other}' || substr(key, ${at + 2})`;
    run(`UPDATE keys SET key = CAST(${changed} AS BLOB) WHERE kid = ${row!.kid}`);
    return row!;
  },
  "swapped with another": ([one, other], run) => {
    run(
      `UPDATE keys SET key = (SELECT key FROM keys AS k WHERE k.kid = ${one!.kid} + ${
        other!.kid
      } ` +
        `- keys.kid) WHERE kid = ${one!.kid}`,
    );
    return one!;
  },
  "truncated": ([, row], run) => {
    run(`UPDATE keys SET key = substr(key, 1, length(key) - 30) WHERE kid = ${row!.kid}`);
    return row!;
  },
  "emptied": ([, , row], run) => {
    run(`UPDATE keys SET key = x'' WHERE kid = ${row!.kid}`);
    return row!;
  },
  "prolonged": ([row], run) => {
    run(`UPDATE keys SET exp = exp + 86400 WHERE kid = ${row!.kid}`);
    return row!;
  },
  "given another kid": ([row], run) => {
    run(`UPDATE keys SET kid = kid - 1000 WHERE kid = ${row!.kid}`);
    return { ...row!, kid: row!.kid - 1000 };
  },
  "given text for a time": ([row], run) => {
    run(`UPDATE keys SET exp = 'never' WHERE kid = ${row!.kid}`);
    return row!;
  },
};

for (const [how, change] of Object.entries(changes)) {
  Deno.test(`a key that was ${how} is refused by its kid with exit code 78`, async () => {
    await using directory = await stopped.copy();
    const database = directory.open();
    const { kid } = change(keyRows(directory), (sql) => database.exec(sql));
    database.close();
    const rows = keyRows(directory);
    const outcome = await directory.run([], { env: { PORT: "0", NOT_MY_KEY: SECRET } });
    assert.equal(outcome.code, 78);
    assert.match(
      outcome.stderr,
      new RegExp(`^jwks-server: error: row ${kid} of the table keys is refused`, "m"),
    );
    assert.deepEqual(keyRows(directory), rows);
  });
}
