import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";
import { CommandError } from "../../lib/base/errors.ts";
import { readPrivateKey } from "../../lib/keys/key_import.ts";
import { generatePrivateJwk } from "../../lib/keys/signing_key.ts";
import { failureOf } from "../support.ts";

function pem(keys: { privateKey: KeyObject }, type: "pkcs1" | "pkcs8" | "sec1"): string {
  return String(keys.privateKey.export({ type, format: "pem" } as never));
}

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** Asserts a refusal that quotes nothing of the key, and gives its message. */
async function refused(text: string, options = {}): Promise<string> {
  const error = await failureOf(() => readPrivateKey(text, options));
  assert.ok(error instanceof CommandError);
  assert.equal(error.exitCode, 1);
  const secret = /"d":"([^"]{8})|([A-Za-z0-9+/]{40})/.exec(text)?.slice(1).find(Boolean);
  if (secret) assert.ok(!`${error.message}${error.hints}`.includes(secret));
  return error.message;
}

Deno.test("readPrivateKey() reads RSA in PKCS #1 and PKCS #8 as the same key", async () => {
  const one = await readPrivateKey(pem(rsa, "pkcs1"), { kid: "k" });
  const other = await readPrivateKey(pem(rsa, "pkcs8"), { kid: "k" });
  assert.deepEqual(one, other);
  assert.equal(one.alg, "RS256");
  assert.equal(one.kid, "k");
});

Deno.test("readPrivateKey() tells the algorithm by the curve", async () => {
  for (
    const [curve, alg] of [["P-256", "ES256"], ["P-384", "ES384"], ["P-521", "ES512"]] as const
  ) {
    const keys = generateKeyPairSync("ec", { namedCurve: curve });
    assert.equal((await readPrivateKey(pem(keys, "pkcs8"), {})).alg, alg);
  }
  const ed25519 = generateKeyPairSync("ed25519");
  assert.equal((await readPrivateKey(pem(ed25519, "pkcs8"), {})).alg, "EdDSA");
});

Deno.test("readPrivateKey() keeps the kid and the algorithm of a JWK, and an option overrides both", async () => {
  const jwk = { ...await generatePrivateJwk("PS256"), kid: "old", use: "sig", x5t: "abc" };
  const kept = await readPrivateKey(JSON.stringify(jwk), {});
  assert.deepEqual([kept.kid, kept.alg], ["old", "PS256"]);
  assert.ok(!("use" in kept) && !("x5t" in kept));
  const overridden = await readPrivateKey(JSON.stringify(jwk), { kid: "new", alg: "RS512" });
  assert.deepEqual([overridden.kid, overridden.alg], ["new", "RS512"]);
});

Deno.test("readPrivateKey() names a key without a kid by its thumbprint", async () => {
  const key = await readPrivateKey(pem(rsa, "pkcs8"), {});
  assert.equal(key.kid, await calculateJwkThumbprint(key));
});

Deno.test("readPrivateKey() reads an ML-DSA key", async () => {
  const { privateKey } = await generateKeyPair("ML-DSA-44", { extractable: true });
  const key = await readPrivateKey(JSON.stringify(await exportJWK(privateKey)), { kid: "pq" });
  assert.equal(key.alg, "ML-DSA-44");
});

Deno.test("readPrivateKey() refuses RSA below 2048 bits, whatever its form", async () => {
  const weak = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const jwk = weak.privateKey.export({ format: "jwk" });
  assert.match(await refused(pem(weak, "pkcs8")), /1024 bits is too weak/);
  assert.match(await refused(JSON.stringify(jwk)), /1024 bits is too weak/);
  const padded = { ...jwk, n: `${"A".repeat(172)}${jwk.n}` }; // leading zeros are not strength
  assert.match(await refused(JSON.stringify(padded)), /too weak/);
});

Deno.test("readPrivateKey() refuses what is no private signing key, by its reason", async () => {
  const publicPem = String(rsa.publicKey.export({ type: "spki", format: "pem" }));
  const publicJwk = rsa.publicKey.export({ format: "jwk" });
  const x25519 = generateKeyPairSync("x25519");
  const secp256k1 = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
  assert.match(await refused(publicPem), /no private half/);
  assert.match(await refused(JSON.stringify(publicJwk)), /no private half/);
  assert.match(await refused(JSON.stringify({ kty: "oct", k: "c2VjcmV0" })), /symmetric/);
  assert.match(await refused(JSON.stringify({ keys: [] })), /JWK set/);
  assert.match(await refused(pem(x25519, "pkcs8")), /not supported/);
  assert.match(await refused(pem(secp256k1, "pkcs8")), /not supported/);
  for (const text of ["", "hello", "{", "[1]", "{}", '{"kid": 5, "d": "x"}']) {
    assert.match(await refused(text), /is refused/);
  }
});

Deno.test("readPrivateKey() refuses an algorithm of another key type", async () => {
  assert.match(await refused(pem(rsa, "pkcs8"), { alg: "ES256" }), /RSA is not for ES256/);
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
  assert.match(await refused(pem(p384, "pkcs8"), { alg: "ES256" }), /damaged|not belong/);
});

Deno.test("readPrivateKey() refuses a key whose halves do not belong together", async () => {
  const one: JWK = await generatePrivateJwk("ES256");
  const other: JWK = await generatePrivateJwk("ES256");
  const mixed = { ...one, x: other.x, y: other.y };
  assert.match(await refused(JSON.stringify(mixed)), /damaged|not belong/);
  assert.match(await refused(JSON.stringify({ ...one, d: "AAAA" })), /damaged|not belong/);
});

Deno.test("readPrivateKey() refuses encrypted PEM and says how to decrypt it", async () => {
  const encrypted = rsa.privateKey.export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "secret",
  });
  assert.match(await refused(String(encrypted)), /encrypted/);
});
