import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { refused } from "./refused.ts";
import { withWorkplace, type Workplace } from "./workplace.ts";

/** The keys of a test's own, which take no time to make. */
const POLICY = { alg: "ES256" } as const;

/** The file with a key, which may hold anything. */
function keyFile({ directory }: Workplace): string {
  return `${directory}/old-issuer.key`;
}

/** Every row of the keys, to the last byte. */
function keyRows({ path }: Workplace): unknown[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare("SELECT kid, key, exp FROM keys ORDER BY kid").all();
  } finally {
    database.close();
  }
}

/** Imports the key file, which must be refused. */
function refuseImport(workplace: Workplace, reason: RegExp, ...args: string[]): Promise<string> {
  return refused(workplace, ["keys", "import", keyFile(workplace), ...args], { code: 1, reason });
}

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
    await withWorkplace(async (workplace) => {
      const rows = keyRows(workplace);
      await Deno.writeTextFile(keyFile(workplace), content);
      const stderr = await refuseImport(workplace, reason, ...args);
      for (const piece of content.match(/[\w+/=-]{20,}/g) ?? []) assert.ok(!stderr.includes(piece));
      assert.deepEqual(keyRows(workplace), rows);
    }, POLICY);
  });
}

Deno.test("keys import refuses a file that is not there", async () => {
  await withWorkplace(async (workplace) => {
    await refuseImport(workplace, /old-issuer\.key cannot be read/);
  }, POLICY);
});

Deno.test("keys import refuses a kid that is in the set, and a key that is in it already", async () => {
  await withWorkplace(async (workplace) => {
    const file = keyFile(workplace);
    const { kid } = (await workplace.keys()).find(({ state }) => state === "active")!;
    await Deno.writeTextFile(file, jwk(ec, { kid }));
    await refuseImport(workplace, new RegExp(`there is a key ${kid} already`));
    await Deno.writeTextFile(file, jwk(ec, { kid: "one" }));
    await workplace.run(["keys", "import", file]);
    const rows = keyRows(workplace);
    await refuseImport(workplace, /there is a key one already/);
    await refuseImport(workplace, /this key is in the ring already, as one/, "--kid", "two");
    assert.deepEqual(keyRows(workplace), rows);
  }, POLICY);
});

Deno.test("a kid cannot write to the operator's terminal, nor be empty", async () => {
  await withWorkplace(async (workplace) => {
    for (const kid of ["\x1b[2J", "line\nbreak", ""]) {
      await Deno.writeTextFile(keyFile(workplace), jwk(ec, { kid }));
      await refuseImport(workplace, /the key is refused: .*kid/);
    }
  }, POLICY);
});
