import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";
import { DomainError } from "../../lib/base/errors.ts";
import { readPrivateKey } from "../../lib/keys/key_import.ts";
import { generatePrivateJwk } from "../../lib/keys/signing_key.ts";
import { failureOf } from "../support.ts";
import { randomRsa, toJwk, toNumbers, toPem } from "./rsa_numbers.ts";

function pem(keys: { privateKey: KeyObject }, type: "pkcs1" | "pkcs8" | "sec1"): string {
  return String(keys.privateKey.export({ type, format: "pem" } as never));
}

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** The RSA key under id-RSASSA-PSS, which the library does not write. */
function pssPem(): string {
  const [, , body] = pem(rsa, "pkcs8").split("-----");
  const der = Buffer.from(body!, "base64").toString("hex")
    .replace("2a864886f70d010101", "2a864886f70d01010a");
  const pss = Buffer.from(der, "hex").toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${pss}\n-----END PRIVATE KEY-----\n`;
}

/** Asserts a refusal that quotes nothing of the key, and gives its message. */
async function refused(text: string, options = {}): Promise<string> {
  const start = performance.now();
  const error = await failureOf(() => readPrivateKey(text, options));
  assert.ok(performance.now() - start < 2000);
  assert.ok(error instanceof DomainError, Deno.inspect(error));
  assert.equal(error.code, "key_refused");
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

Deno.test("readPrivateKey() names a key without a kid by its thumbprint, never like an option", async () => {
  const kids: string[] = [];
  while (!kids.some((kid) => kid.startsWith("_"))) { // of 32 keys one begins with - or _
    const key = await readPrivateKey(JSON.stringify(await generatePrivateJwk("EdDSA")), {});
    assert.equal(key.kid, (await calculateJwkThumbprint(key)).replace(/^-/, "_"));
    kids.push(key.kid);
  }
  assert.ok(!kids.some((kid) => kid.startsWith("-")));
  const jwk = { ...await generatePrivateJwk("EdDSA"), kid: "-given" };
  assert.equal((await readPrivateKey(JSON.stringify(jwk), {})).kid, "-given");
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
  assert.match(await refused(pssPem()), /not supported/);
  for (const text of ["", "hello", "{", "[1]", "{}", '{"kid": 5, "d": "x"}']) {
    assert.match(await refused(text), /is refused/);
  }
});

Deno.test("readPrivateKey() refuses an algorithm of another key type", async () => {
  assert.match(await refused(pem(rsa, "pkcs8"), { alg: "ES256" }), /RSA is not for ES256/);
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
  assert.match(
    await refused(pem(p384, "pkcs8"), { alg: "ES256" }),
    /on P-384 is not for ES256, but for ES384$/,
  );
  const jwk = p384.privateKey.export({ format: "jwk" });
  const contradicting = JSON.stringify({ ...jwk, alg: "ES512" });
  assert.match(await refused(contradicting), /on P-384 is not for ES512, but for ES384$/);
  assert.equal((await readPrivateKey(contradicting, { alg: "ES384" })).alg, "ES384");
  const mlDsa = JSON.stringify({ kty: "AKP", alg: "ML-DSA-44", pub: "AAAA", priv: "AAAA" });
  assert.match(await refused(mlDsa, { alg: "ML-DSA-65" }), /not for ML-DSA-65, but for ML-DSA-44$/);
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

Deno.test("readPrivateKey() works out what an RSA key lacks", async () => {
  const jwk = rsa.privateKey.export({ format: "jwk" });
  const { n, e, d } = jwk;
  const key = await readPrivateKey(JSON.stringify({ kty: "RSA", n, e, d }), { kid: "k" });
  assert.deepEqual(new Set([key.p, key.q]), new Set([jwk.p, jwk.q]));
  assert.match(await refused(JSON.stringify({ kty: "RSA", n, e, d, p: jwk.p })), /it lacks q, /);
});

Deno.test("readPrivateKey() refuses RSA that libraries sign with for ever, or end with", async () => {
  const unequal = randomRsa(256, 1792);
  const { n, e, d } = unequal;
  for (const text of [toPem(unequal), JSON.stringify(toJwk(unequal))]) {
    assert.match(await refused(text), /unequal length/);
  }
  assert.match(await refused(JSON.stringify(toJwk({ n, e, d }))), /unequal length/);
  const sound = randomRsa(1024, 1024);
  for (const changes of [{ p: 0n }, { p: 1n }, { q: 0n }, { p: sound.n, q: 1n }, { n: 0n }]) {
    const numbers = { ...sound, ...changes };
    for (const text of [toPem(numbers), JSON.stringify(toJwk(numbers))]) await refused(text);
  }
});

Deno.test("readPrivateKey() reads PEM whose numbers are written by hand", async () => {
  const { n, e, d, p, q, dp, dq, qi } = toNumbers(rsa.privateKey.export({ format: "jwk" }) as JWK);
  const key = await readPrivateKey(toPem({ n, e, d, p, q, dp, dq, qi }), { kid: "k" });
  assert.deepEqual(key, await readPrivateKey(pem(rsa, "pkcs8"), { kid: "k" }));
});

Deno.test("readPrivateKey() refuses RSA whose factors are not prime", async () => {
  const composite = randomRsa(1024, 1024);
  assert.match(await refused(toPem(composite)), /its p or q is not a prime/);
});

Deno.test("readPrivateKey() refuses RSA with more than two primes", async () => {
  assert.match(await refused(toPem(randomRsa(1024, 1024), 1n)), /not supported/);
  const jwk = { ...rsa.privateKey.export({ format: "jwk" }), oth: [{ r: "AQ", d: "AQ", t: "AQ" }] };
  assert.match(await refused(JSON.stringify(jwk)), /more than two primes/);
});

Deno.test("readPrivateKey() tells what is wrong with a JWK's members", async () => {
  const jwk = await generatePrivateJwk("ES256");
  const cases: [members: object, reason: RegExp][] = [
    [{ use: "enc" }, /its use is not "sig"/],
    [{ key_ops: ["verify"] }, /its key_ops lack "sign"/],
    [{ key_ops: [] }, /its key_ops lack "sign"/],
    [{ key_ops: ["sign", "sign"] }, /its key_ops repeat themselves/],
    [{ key_ops: "sign" }, /its key_ops is not an array of strings/],
    [{ key_ops: ["sign", 5] }, /its key_ops is not an array of strings/],
    [{ kid: 5 }, /its kid is not a string/],
    [{ alg: ["ES256"] }, /its alg is not a string/],
    [{ alg: "HS256" }, /not supported/],
    [{ kty: undefined }, /its kty is not a string/],
    [{ y: undefined }, /its y is missing/],
    [{ x: "!" }, /damaged/],
  ];
  for (const [members, reason] of cases) {
    assert.match(await refused(JSON.stringify({ ...jwk, ...members })), reason);
  }
  const { kid } = await readPrivateKey(JSON.stringify({ ...jwk, key_ops: ["sign"] }), { kid: "k" });
  assert.equal(kid, "k");
});

Deno.test("readPrivateKey() finds the one private key among what else a PEM file holds", async () => {
  const parameters =
    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  const ec = pem(generateKeyPairSync("ec", { namedCurve: "P-256" }), "sec1");
  const publicPem = String(rsa.publicKey.export({ type: "spki", format: "pem" }));
  assert.equal((await readPrivateKey(parameters + ec, {})).alg, "ES256");
  assert.equal((await readPrivateKey(publicPem + ec + publicPem, {})).alg, "ES256");
  assert.match(await refused(ec + pem(rsa, "pkcs8")), /more than one private key/);
});

Deno.test("readPrivateKey() refuses PEM that is cut short anywhere or changed", async () => {
  for (const type of ["pkcs1", "pkcs8"] as const) {
    const whole = pem(rsa, type);
    const lines = whole.trimEnd().split("\n");
    assert.match(await refused(whole.slice(0, 400)), /the PEM ends too early/);
    for (const kept of [1, 2, 5, 20]) {
      const text = [...lines.slice(0, kept), lines.at(-1)].join("\n");
      assert.match(await refused(text), /it is damaged/);
    }
    for (const line of [1, 5, 12, 20]) {
      const text = lines.with(line, lines[line]!.split("").reverse().join("")).join("\n");
      await refused(text);
    }
  }
});
