/** A running server whose database somebody edits: what is not authenticated takes away, never gives. */

import assert from "node:assert/strict";
import { CompactEncrypt, exportJWK, generateKeyPair } from "jose";
import type { DatabaseSync } from "node:sqlite";
import type { Credentials } from "./client.ts";
import { NOTICED, WITH_SECRET } from "./commands.ts";
import { eventually, Server, UNLIMITED } from "./harness.ts";
import { keyHeader, type KeyRow, keyRows, settled } from "./keys.ts";
import { assertSafe } from "./safe_answer.ts";

const REFUSED = /"message":"a stored key is refused[^\n]*"row":"(\d+)"/g;

let server: Server;
let user: Credentials;
Deno.test.beforeAll(async () => {
  server = await Server.start({ env: { ...UNLIMITED, ...WITH_SECRET, SIGNING_ALG: "ES256" } });
  await settled(server);
  user = await server.register();
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

/** The kid of a token that is given now. */
async function signer(): Promise<string> {
  const answer = await server.login(user);
  assertSafe(answer);
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(atob(answer.json.token.split(".")[0])).kid;
}

async function published(): Promise<string[]> {
  return (await server.jwks()).json.keys.map(({ kid }: { kid: string }) => kid);
}

/** The rows that the log has named as refused, from a place in it on. */
function refusedRows(from: number): string[] {
  return [...server.stderr.slice(from).matchAll(REFUSED)].map(([, row]) => row!);
}

interface Scene {
  database: DatabaseSync;
  active: KeyRow;
  next: KeyRow;
  expired: KeyRow;
}

/** Runs `body` on the database, and puts every row of the keys and their secret back afterwards. */
async function edited(body: (scene: Scene) => Promise<void>): Promise<void> {
  using database = server.openDatabase();
  database.exec("PRAGMA busy_timeout = 2000");
  const kid = await signer();
  const rows = keyRows(server.directory);
  const meta = server.query<{ name: string; value: Uint8Array }>(
    "SELECT name, value FROM meta WHERE name LIKE 'kek_%'",
  );
  const active = rows.find((row) => String(row.kid) === kid)!;
  const later = rows.filter((row) => keyHeader(row).sign_from > keyHeader(active).sign_from);
  const expired = rows.find((row) => keyHeader(row).sign_from === keyHeader(row).sign_until)!;
  try {
    await body({ database, active, next: later[0]!, expired });
  } finally {
    database.exec("BEGIN IMMEDIATE; DELETE FROM keys");
    const insert = database.prepare("INSERT INTO keys (kid, key, exp) VALUES (?, ?, ?)");
    for (const row of rows) insert.run(row.kid, row.key, row.exp);
    const put = database.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)");
    for (const { name, value } of meta) put.run(name, value);
    database.exec("COMMIT");
  }
  assert.equal(await signer(), kid, "put back, it signs again");
}

function setKey(database: DatabaseSync, kid: number, key: Uint8Array, exp?: number): void {
  database.prepare("UPDATE keys SET key = ?, exp = coalesce(?, exp) WHERE kid = ?")
    .run(key, exp ?? null, kid);
}

/** The stored key with another protected header, as whoever has no secret can write it. */
function withHeader({ key }: KeyRow, changed: Record<string, unknown>): Uint8Array {
  const [header, ...rest] = new TextDecoder().decode(key).split(".");
  const members = {
    ...JSON.parse(atob(header!.replace(/-/g, "+").replace(/_/g, "/"))),
    ...changed,
  };
  const text = btoa(JSON.stringify(members)).replace(/=/g, "");
  return new TextEncoder().encode([text, ...rest].join("."));
}

const YEAR = 365 * 86_400;

/** What somebody may do to the row of the key that signs. */
const EDITS: Record<string, (scene: Scene) => void> = {
  "cut": ({ database, active }) => setKey(database, active.kid, active.key.slice(0, -30)),
  "emptied": ({ database, active }) => setKey(database, active.kid, new Uint8Array()),
  "given a later end": ({ database, active: { kid, key, exp } }) =>
    setKey(database, kid, key, exp + YEAR),
  "given a later end, in its header, too": ({ database, active }) => {
    const exp = active.exp + YEAR;
    setKey(database, active.kid, withHeader(active, { exp, sign_until: exp }), exp);
  },
  "given another algorithm in its header": ({ database, active }) =>
    setKey(database, active.kid, withHeader(active, { enc: "A128GCM" })),
  "told to be compressed": ({ database, active }) =>
    setKey(database, active.kid, withHeader(active, { zip: "DEF" })),
  "replaced by the next key's": ({ database, active, next }) =>
    setKey(database, active.kid, next.key, next.exp),
  "replaced by the key's for expired tokens": ({ database, active, expired }) =>
    setKey(database, active.kid, expired.key),
  "deleted": ({ database, active }) =>
    void database.prepare("DELETE FROM keys WHERE kid = ?").run(active.kid),
};

for (const [how, edit] of Object.entries(EDITS)) {
  Deno.test(`a key whose row is ${how} is out at once, and the next one signs`, async () => {
    await edited(async (scene) => {
      const place = server.stderr.length;
      edit(scene);
      const [active, next] = [String(scene.active.kid), String(scene.next.kid)];
      assert.equal(await signer(), next);
      assert.ok(!(await published()).includes(active));
      if (how === "deleted") return;
      await eventually("the row is named", () => refusedRows(place).includes(active) || undefined);
    });
  });
}

Deno.test("keys whose rows are swapped are both out, and a new one signs", async () => {
  await edited(async ({ database, active, next }) => {
    database.exec("BEGIN IMMEDIATE");
    setKey(database, active.kid, next.key, next.exp);
    setKey(database, next.kid, active.key, active.exp);
    database.exec("COMMIT");
    const kid = await signer();
    const out = [String(active.kid), String(next.kid)];
    assert.ok(!out.includes(kid));
    const now = await published();
    assert.ok(now.includes(kid) && !now.some((one) => out.includes(one)), now.join());
  });
});

Deno.test("a row under another number gives nothing, and takes nothing from the key it was copied from", async () => {
  await edited(async ({ database, active, expired }) => {
    const before = await published();
    const place = server.stderr.length;
    const insert = database.prepare("INSERT INTO keys (kid, key, exp) VALUES (?, ?, ?)");
    insert.run(active.kid + 1, active.key, active.exp);
    insert.run(expired.kid + 7, expired.key, active.exp);
    insert.run(7, withHeader(active, { kid: "7" }), active.exp);
    assert.equal(await signer(), String(active.kid));
    assert.deepEqual(await published(), before);
    await eventually("they are named", () => refusedRows(place).length === 3 || undefined);
  });
});

Deno.test("an expired key whose deleted row is put back stays out", async () => {
  await edited(async ({ database, active, expired }) => {
    const before = await published();
    database.prepare("DELETE FROM keys WHERE kid = ?").run(expired.kid);
    assert.equal(await signer(), String(active.kid));
    database.prepare("INSERT INTO keys (kid, key, exp) VALUES (?, ?, ?)")
      .run(expired.kid, expired.key, expired.exp);
    assert.equal(await signer(), String(active.kid));
    assert.deepEqual(await published(), before);
  });
});

Deno.test("a key of somebody's own, under a secret of his own, is neither published nor signs", async () => {
  await edited(async ({ database, active, next }) => {
    const before = await published();
    const secret = crypto.getRandomValues(new Uint8Array(32));
    const { privateKey } = await generateKeyPair("ES256", { extractable: true });
    const seal = async (row: KeyRow, kid: number) => {
      const header = { ...keyHeader(row), kid: String(kid) };
      const jwk = { ...await exportJWK(privateKey), alg: "ES256", kid: String(kid) };
      const sealed = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(jwk)))
        .setProtectedHeader(header).encrypt(secret);
      return new TextEncoder().encode(sealed);
    };
    const own = await seal(active, active.kid);
    const added = await seal(next, next.kid + 1);
    const meta = database.prepare("UPDATE meta SET value = ? WHERE name = ?");
    for (const replaced of [false, true]) {
      database.exec("BEGIN IMMEDIATE");
      if (replaced) {
        meta.run(crypto.getRandomValues(new Uint8Array(60)), "kek_check");
        meta.run(new TextEncoder().encode("{}"), "kek_derivation");
      }
      database.prepare("INSERT OR REPLACE INTO keys (kid, key, exp) VALUES (?, ?, ?)")
        .run(next.kid + 1, added, next.exp);
      database.exec("COMMIT");
      assert.equal(await signer(), String(active.kid), "it goes on with what it holds");
      assert.deepEqual(await published(), before);
    }
    // Under a check that it cannot open a row may end a key, and what it holds is not used.
    const set = (await server.jwks()).text;
    setKey(database, active.kid, own);
    assert.equal(await signer(), String(active.kid));
    assert.equal((await server.jwks()).text, set, "the public halves are those of before");
  });
});

Deno.test("a key that was revoked stays revoked when its older row is put back", async () => {
  const kid = await signer();
  const old = keyRows(server.directory).find((row) => String(row.kid) === kid)!;
  const token = await server.token(user);
  const { code, stderr } = await server.directory.run(["keys", "revoke", kid], {
    env: { ...WITH_SECRET, PORT: String(server.port) },
  });
  assert.equal(code, 0, stderr);
  assert.notEqual(await signer(), kid);
  using database = server.openDatabase();
  database.prepare("INSERT OR REPLACE INTO keys (kid, key, exp) VALUES (?, ?, ?)").run(
    old.kid,
    old.key,
    old.exp,
  );
  assert.notEqual(await signer(), kid, "it does not sign");
  await eventually(
    "it was read",
    async () => !(await published()).includes(kid) || undefined,
    NOTICED,
  );
  const form = new URLSearchParams({
    token,
    client_id: user.username,
    client_secret: user.password,
  });
  const answer = await server.post("/introspect", form.toString(), {
    "content-type": "application/x-www-form-urlencoded",
  });
  assert.deepEqual(answer.json, { active: false });
});

Deno.test("a password that is replaced in the database is no password from that moment on", async () => {
  const [alice, bob] = [await server.register(), await server.register()];
  for (const one of [alice, bob]) assert.equal((await server.login(one)).status, 200);
  using database = server.openDatabase();
  const hashes = database.prepare(
    "SELECT id, username, password_hash AS hash FROM users WHERE username IN (?, ?)",
  )
    .all(alice.username, bob.username) as { id: number; username: string; hash: string }[];
  const update = database.prepare("UPDATE users SET password_hash = ? WHERE id = ?");
  update.run(hashes[1]!.hash, hashes[0]!.id);
  update.run(hashes[0]!.hash, hashes[1]!.id);
  for (const one of [alice, bob]) assert.equal((await server.login(one)).status, 401);
  // Whoever writes there lets in whom he likes; the token still names the row's client.
  const swapped = await server.login({ username: alice.username, password: bob.password });
  assert.equal(JSON.parse(atob(swapped.json.token.split(".")[1])).sub, alice.username);
  for (const { id, hash } of hashes) update.run(`!${hash}`, id);
  for (const { username } of hashes) {
    for (const { password } of [alice, bob]) {
      assert.equal((await server.login({ username, password })).status, 401, "disabled");
    }
  }
});

Deno.test("edits of the authentication log change nothing for anybody", async () => {
  using database = server.openDatabase();
  database.exec("PRAGMA foreign_keys = OFF");
  const insert = database.prepare(
    "INSERT INTO auth_logs (request_ip, request_timestamp, user_id) VALUES (?, ?, ?)",
  );
  for (const time of ["never", "9999-12-31 23:59:59", "", "\u001b[2J", "0000-00-00 00:00:00"]) {
    insert.run("\u001b[2J'; DROP TABLE keys --", time, 999_999);
  }
  const kid = await signer();
  database.exec(
    "DELETE FROM auth_logs; UPDATE sqlite_sequence SET seq = 0 WHERE name = 'auth_logs'",
  );
  assert.equal(await signer(), kid);
  assert.deepEqual(server.query("SELECT user_id FROM auth_logs").length, 1);
});
