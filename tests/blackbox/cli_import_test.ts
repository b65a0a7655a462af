import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { exportJWK, type JWK, SignJWT } from "jose";
import {
  done,
  kidOf,
  listKeys,
  NOTICED,
  only,
  preparedDirectory,
  publishedKids,
  startSettled,
  verify,
} from "./commands.ts";
import { type Directory, eventually, type Server } from "./harness.ts";
import { keyRows, openKeys } from "./keys.ts";

const FILE = "old-issuer.key";
const DAY = 86_400;

const prepared = await preparedDirectory();
let server: Server;
Deno.test.beforeAll(async () => {
  server = await startSettled();
});
Deno.test.afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await prepared[Symbol.asyncDispose]();
});

function rsa(modulusLength: number): KeyObject {
  return generateKeyPairSync("rsa", { modulusLength }).privateKey;
}

function ec(namedCurve: string): KeyObject {
  return generateKeyPairSync("ec", { namedCurve }).privateKey;
}

function ed25519(): KeyObject {
  return generateKeyPairSync("ed25519").privateKey;
}

function pem(key: KeyObject, type: "pkcs8" | "pkcs1" | "sec1" = "pkcs8"): string {
  return key.export({ format: "pem", type }) as string;
}

function jwk(key: KeyObject, members: JWK = {}): string {
  return JSON.stringify({ ...key.export({ format: "jwk" }), ...members });
}

/** Every line of a key that would tell of its private half, wherever it were quoted. */
function pieces(text: string): string[] {
  return text.match(/[\w+/=-]{40,}/g) ?? [];
}

async function write(directory: Directory, content: string): Promise<void> {
  await Deno.writeTextFile(`${directory.path}/${FILE}`, content);
}

/** A token as the old issuer signed it. */
function oldToken(key: KeyObject, alg: string, kid: string): Promise<string> {
  return new SignJWT({ sub: "reporting" }).setProtectedHeader({ alg, kid }).setIssuedAt()
    .setExpirationTime("1h").sign(key);
}

const rsaKey = rsa(2048);
const accepted: Record<string, { key: KeyObject; content: string; alg: string }> = {
  "RSA, PKCS #8": { key: rsaKey, content: pem(rsaKey), alg: "RS256" },
  ...other("RSA, PKCS #1", rsa(3072), "RS256", (key) => pem(key, "pkcs1")),
  ...other("EC P-256, PKCS #8", ec("P-256"), "ES256", pem),
  ...other("EC P-384, PKCS #8", ec("P-384"), "ES384", pem),
  ...other("Ed25519, PKCS #8", ed25519(), "EdDSA", pem),
  ...other("RSA, JWK for PS512", rsa(2048), "PS512", (key) => jwk(key, { alg: "PS512" })),
  ...other("EC P-256, JWK", ec("P-256"), "ES256", (key) => jwk(key, { use: "sig" })),
};

function other(what: string, key: KeyObject, alg: string, form: (key: KeyObject) => string) {
  return { [what]: { key, content: form(key), alg } };
}

for (const [what, { key, content, alg }] of Object.entries(accepted)) {
  Deno.test(`tokens of an old issuer verify after the import of its key: ${what}`, async () => {
    const kid = `old ${what}`;
    const token = await oldToken(key, alg, kid);
    await write(server.directory, content);
    const command = ["keys", "import", FILE, "--kid", kid, "--alg", alg];
    const output = await done(server.directory, command);
    assert.ok(output.startsWith(`Key ${kid} (${alg}) is in the JWKS: it only verifies`), output);
    for (const piece of pieces(content)) assert.ok(!output.includes(piece));
    await eventually("the server publishes it", async () => {
      return (await publishedKids(server)).includes(kid) ? true : undefined;
    }, NOTICED);
    assert.equal(await verify(server, token), kid);
    const member = (await server.jwks()).json.keys.find((member: JWK) => member.kid === kid);
    const { d, p, q, dp, dq, qi, ...halves } = await exportJWK(key);
    assert.deepEqual(member, { ...halves, kid, alg, use: "sig" });
    assert.ok(d && (alg.startsWith("RS") ? p && q && dp && dq && qi : true));
  });
}

Deno.test("a JWK brings its kid and its algorithm; a passive key never signs and leaves in time", async () => {
  await using directory = await prepared.copy();
  await write(directory, jwk(rsaKey, { kid: "2024-01", alg: "RS512" }));
  const before = await listKeys(directory);
  await done(directory, ["keys", "import", FILE, "--verify-for", "7d"]);
  const keys = await listKeys(directory);
  const passive = only(keys, "passive");
  assert.deepEqual([passive.kid, passive.alg, passive.signer], ["2024-01", "RS512", false]);
  assert.deepEqual([passive.sign_from, passive.sign_until], [null, null]);
  const days = (Date.parse(passive.exp) - Date.now()) / 1000 / DAY;
  assert.ok(6.99 < days && days <= 7);
  assert.deepEqual(keys.filter(({ kid }) => kid !== "2024-01"), before);
});

Deno.test("a key without a kid is known by its thumbprint", async () => {
  await using directory = await prepared.copy();
  await write(directory, pem(ed25519()));
  await done(directory, ["keys", "import", FILE]);
  assert.match(only(await listKeys(directory), "passive").kid, /^[\w-]{43}$/);
});

Deno.test("a key imported as next signs after the active one, and those that waited move back", async () => {
  await using fresh = await startSettled();
  const { directory } = fresh;
  const before = await listKeys(directory);
  await write(directory, jwk(ec("P-256"), { kid: "new-issuer" }));
  await done(directory, ["keys", "import", FILE, "--as", "next"]);
  const keys = await listKeys(directory);
  const [imported, moved] = keys.filter(({ state }) => state === "next")
    .toSorted((one, other) => one.sign_from! < other.sign_from! ? -1 : 1);
  assert.equal(imported!.kid, "new-issuer");
  assert.equal(imported!.sign_from, only(before, "active").sign_until);
  assert.deepEqual(only(keys, "active"), only(before, "active"));
  assert.equal(moved!.kid, only(before, "next").kid);
  assert.equal(moved!.sign_from, imported!.sign_until);

  const user = await fresh.register();
  const old = await fresh.token(user);
  await done(directory, ["keys", "rotate", "--force"]);
  const token = await fresh.token(user);
  assert.equal(kidOf(token), "new-issuer");
  await eventually("both tokens verify", () => {
    return Promise.all([verify(fresh, token), verify(fresh, old)]).catch(() => undefined);
  }, NOTICED);
});

Deno.test("an imported key is stored as all others are, and no copy of its file is kept", async () => {
  await using directory = await prepared.copy();
  const key = rsa(2048);
  await write(directory, jwk(key, { kid: "sealed" }));
  await done(directory, ["keys", "import", FILE]);
  await Deno.remove(`${directory.path}/${FILE}`);
  assert.equal(keyRows(directory).length, 4);
  const opened = await openKeys(directory, "a secret for tests only");
  const { d } = await exportJWK(key);
  assert.equal(opened.find(({ kid }) => kid === "sealed")!.d, d);
  for (const bytes of (await directory.files()).values()) {
    assert.ok(!new TextDecoder().decode(bytes).includes(d!));
  }
});
