import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { done, listKeys, only, preparedDirectory, refused } from "./commands.ts";
import { keyRows } from "./keys.ts";

const FILE = "old-issuer.key";

const prepared = await preparedDirectory();
Deno.test.afterAll(() => prepared[Symbol.asyncDispose]());

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
const almost = generateKeyPairSync("rsa", { modulusLength: 2040 }).privateKey;
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const ed25519 = generateKeyPairSync("ed25519").privateKey;

function pem(key: KeyObject): string {
  return key.export({ format: "pem", type: "pkcs8" }) as string;
}

function jwk(key: KeyObject, members: object = {}): string {
  return JSON.stringify({ ...key.export({ format: "jwk" }), ...members });
}

function publicPem(key: KeyObject): string {
  return createPublicKey(key).export({ format: "pem", type: "spki" }) as string;
}

const encrypted = rsa.export({
  format: "pem",
  type: "pkcs8",
  cipher: "aes-256-cbc",
  passphrase: "correct horse",
}) as string;

const refusals: Record<string, { content: string; reason: RegExp; args?: string[] }> = {
  "RSA of 1024 bits": { content: pem(weak), reason: /RSA of 1024 bits is too weak/ },
  "RSA of 1024 bits in a JWK": { content: jwk(weak), reason: /RSA of 1024 bits is too weak/ },
  "RSA of 2040 bits": { content: jwk(almost), reason: /RSA of 2040 bits is too weak/ },
  "a public key in PEM": { content: publicPem(rsa), reason: /it has no private half/ },
  "a public JWK": { content: jwk(createPublicKey(ec)), reason: /it has no private half/ },
  "an encrypted key": { content: encrypted, reason: /it is encrypted/ },
  "a symmetric key": {
    content: JSON.stringify({ kty: "oct", k: "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0" }),
    reason: /it is a symmetric key/,
  },
  "a JWK set": { content: JSON.stringify({ keys: [JSON.parse(jwk(ec))] }), reason: /a JWK set/ },
  "a curve for key agreement": {
    content: pem(generateKeyPairSync("x25519").privateKey),
    reason: /its type .*is not supported/,
  },
  "a curve that JOSE does not sign with": {
    content: pem(generateKeyPairSync("ec", { namedCurve: "secp224r1" }).privateKey),
    reason: /its type .*is not supported/,
  },
  "another type than its algorithm's": {
    content: pem(rsa),
    args: ["--alg", "ES256"],
    reason: /a key of type RSA is not for ES256/,
  },
  "another curve than its algorithm's": {
    content: pem(ec),
    args: ["--alg", "ES384"],
    reason: /is damaged|is not for ES384/,
  },
  "halves of two keys": {
    content: jwk(ed25519, { d: JSON.parse(jwk(generateKeyPairSync("ed25519").privateKey)).d }),
    reason: /its halves do not belong together/,
  },
  "half of a JWK": { content: jwk(rsa).slice(0, 400), reason: /not a JWK/ },
  "half of a PEM file": { content: pem(rsa).slice(0, 400), reason: /the key is refused/ },
  "a certificate": {
    content: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    reason: /neither a JWK nor PEM of a private key/,
  },
  "an empty file": { content: "", reason: /neither a JWK nor PEM/ },
};

for (const [what, { content, reason, args = [] }] of Object.entries(refusals)) {
  Deno.test(`keys import refuses ${what}, quotes nothing of it, and changes nothing`, async () => {
    await using directory = await prepared.copy();
    const rows = keyRows(directory);
    await Deno.writeTextFile(`${directory.path}/${FILE}`, content);
    const stderr = await refused(directory, ["keys", "import", FILE, ...args], 1, reason);
    for (const piece of content.match(/[\w+/=-]{20,}/g) ?? []) assert.ok(!stderr.includes(piece));
    assert.deepEqual(keyRows(directory), rows);
  });
}

Deno.test("keys import refuses a file that is not there", async () => {
  await refused(prepared, ["keys", "import", FILE], 1, /old-issuer\.key cannot be read/);
});

Deno.test("keys import refuses a kid that is in the set, and a key that is in it already", async () => {
  await using directory = await prepared.copy();
  const path = `${directory.path}/${FILE}`;
  const { kid } = only(await listKeys(directory), "active");
  await Deno.writeTextFile(path, jwk(ec, { kid }));
  await refused(
    directory,
    ["keys", "import", FILE],
    1,
    new RegExp(`there is a key ${kid} already`),
  );
  await Deno.writeTextFile(path, jwk(ec, { kid: "one" }));
  await done(directory, ["keys", "import", FILE]);
  const rows = keyRows(directory);
  await refused(directory, ["keys", "import", FILE], 1, /there is a key one already/);
  const again = ["keys", "import", FILE, "--kid", "two"];
  await refused(directory, again, 1, /this key is in the ring already, as one/);
  assert.deepEqual(keyRows(directory), rows);
});

Deno.test("a kid cannot write to the operator's terminal, nor be empty", async () => {
  for (const kid of ["\x1b[2J", "line\nbreak", ""]) {
    await using directory = await prepared.copy();
    await Deno.writeTextFile(`${directory.path}/${FILE}`, jwk(ec, { kid }));
    await refused(directory, ["keys", "import", FILE], 1, /the key is refused: .*kid/);
  }
});
