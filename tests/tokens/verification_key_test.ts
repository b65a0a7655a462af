import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { importVerificationKey } from "../../lib/tokens/verification_key.ts";
import { pregeneratedKey } from "../support.ts";
import { base64url, makeClientKey, type Members, reasonOf } from "./signed.ts";

const { jwk: ec, privateJwk } = await makeClientKey("one");
const { n, e } = await pregeneratedKey();
const rsa: JWK = { kty: "RSA", n: n!, e: e! };

async function publicJwk(alg: string): Promise<JWK> {
  return await exportJWK((await generateKeyPair(alg)).publicKey);
}

async function assertRefused(jwk: unknown): Promise<void> {
  const what = JSON.stringify(jwk);
  assert.equal(await reasonOf(() => importVerificationKey(jwk), what), "key", what);
}

/** `text` read as base64url, changed, and written again. */
function changed(text: string, change: (bytes: Buffer) => Uint8Array): string {
  return base64url(change(Buffer.from(text, "base64url")));
}

Deno.test("importVerificationKey() takes the JWK's kid and alg, else the usual alg of its type", async () => {
  const key = await importVerificationKey({ ...ec, use: "sig", key_ops: ["verify"], x5t: "?" });
  assert.deepEqual([key.kid, key.alg], ["one", "ES256"]);
  assert.equal(key.publicKey.type, "public");
  assert.equal((await importVerificationKey(await publicJwk("ES384"))).alg, "ES384");
  assert.equal((await importVerificationKey(await publicJwk("EdDSA"))).alg, "EdDSA");
  assert.equal((await importVerificationKey(rsa)).alg, "RS256");
  assert.equal((await importVerificationKey({ ...rsa, alg: "PS384" })).alg, "PS384");
});

Deno.test("importVerificationKey() takes the algorithm asked for when the JWK allows it", async () => {
  assert.equal((await importVerificationKey(rsa, "PS256")).alg, "PS256");
  assert.equal((await importVerificationKey({ ...rsa, alg: "PS256" }, "PS256")).alg, "PS256");
  const other = () => importVerificationKey({ ...rsa, alg: "RS256" }, "PS256");
  assert.equal(await reasonOf(other), "key");
  assert.equal(await reasonOf(() => importVerificationKey(ec, "RS256")), "key");
});

Deno.test("importVerificationKey() refuses whatever has a private or symmetric member", async () => {
  await assertRefused(privateJwk);
  const members = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
  for (const name of members) await assertRefused({ ...ec, [name]: "AAAA" });
  await assertRefused({ ...ec, d: undefined, k: null });
  await assertRefused({ kty: "oct", k: base64url(new Uint8Array(32)), alg: "HS256" });
});

Deno.test("importVerificationKey() refuses keys for another use (RFC 7517 §4.2, §4.3)", async () => {
  for (const more of [{ use: "enc" }, { key_ops: ["encrypt"] }, { key_ops: [] }, { use: 1 }]) {
    await assertRefused({ ...ec, ...more });
  }
});

Deno.test("importVerificationKey() refuses types, curves and algorithms that are unknown or do not fit", async () => {
  const others: Members[] = [
    { kty: "oct" },
    { kty: "ec" },
    { crv: "secp256k1" },
    { crv: "P-384" },
    { crv: undefined },
    { alg: "ES384" },
    { alg: "none" },
    { alg: "HS256" },
    { alg: "ECDH-ES" },
    { kty: "RSA" },
  ];
  for (const other of others) await assertRefused({ ...ec, ...other });
  await assertRefused({ kty: "OKP", crv: "X25519", x: base64url(new Uint8Array(32)) });
  await assertRefused({ kty: "AKP", pub: "AAAA" });
  for (const nothing of [undefined, null, "", 1, [], {}, [ec]]) await assertRefused(nothing);
});

Deno.test("importVerificationKey() refuses coordinates that are not a point in its one form", async () => {
  const { x, y } = ec as { x: string; y: string };
  await assertRefused({ ...ec, y: changed(y, (bytes) => bytes.map((byte) => byte ^ 1)) });
  await assertRefused({ ...ec, x: changed(x, (bytes) => Buffer.concat([Buffer.alloc(1), bytes])) });
  await assertRefused({ ...ec, x: x.slice(0, -2) });
  await assertRefused({ ...ec, x: `${x}=` });
  await assertRefused({ ...ec, x: ` ${x}` });
  await assertRefused({ ...ec, x: 1 });
  await assertRefused({ ...ec, x: "" });
  await assertRefused({ kty: "OKP", crv: "Ed25519", x: base64url(new Uint8Array(31)) });
});

Deno.test("importVerificationKey() refuses a coordinate without its leading zeros (RFC 7518 §6.2.1.2)", async () => {
  const x = "ABKcSByh3glfJoSv1dyxTmXXDS0d_BmBEQKPDwzkg4o";
  const y = "wnjP8HBcOiYVz2xwFCJU-r-Q7rG-ql19QEqwGxKHEsg";
  await importVerificationKey({ kty: "EC", crv: "P-256", x, y });
  await assertRefused({ kty: "EC", crv: "P-256", x: changed(x, (bytes) => bytes.subarray(1)), y });
});

Deno.test("importVerificationKey() refuses RSA below 2048 and above 4096 bits", async () => {
  const odd = (bits: number) => {
    const bytes = new Uint8Array(Math.ceil(bits / 8)).fill(0xff);
    bytes[0] = 0xff >> (bytes.length * 8 - bits);
    return base64url(bytes);
  };
  for (const bits of [1024, 2047, 4097, 8192]) await assertRefused({ ...rsa, n: odd(bits) });
  for (const bits of [2048, 4096]) await importVerificationKey({ ...rsa, n: odd(bits) });
});

Deno.test("importVerificationKey() refuses RSA numbers that are no key", async () => {
  await assertRefused({ ...rsa, n: changed(n!, (bytes) => bytes.with(-1, bytes.at(-1)! & 0xfe)) });
  await assertRefused({
    ...rsa,
    n: changed(n!, (bytes) => Buffer.concat([Buffer.alloc(1), bytes])),
  });
  const exponents = [[1], [2], [4], [0], [0, 3], [1, 0, 1, 0, 1, 1, 1], [
    0xff,
    0xff,
    0xff,
    0xff,
    0xfe,
  ]];
  for (const bytes of exponents) {
    await assertRefused({ ...rsa, e: base64url(new Uint8Array(bytes)) });
  }
  await assertRefused({ kty: "RSA", n: n! });
  assert.equal((await importVerificationKey({ ...rsa, e: "Aw" })).alg, "RS256");
});

Deno.test("importVerificationKey() refuses Ed25519 keys under which anybody can sign", async () => {
  const one = new Uint8Array(32).with(0, 1);
  const points = [
    one,
    one.with(31, 0x80),
    new Uint8Array(32),
    new Uint8Array(32).fill(0xff).with(0, 0xec).with(31, 0x7f),
    Buffer.from("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", "hex"),
  ];
  for (const point of points) {
    await assertRefused({ kty: "OKP", crv: "Ed25519", x: base64url(point) });
  }
});

Deno.test("importVerificationKey() refuses an RSA modulus of the ROCA form (CVE-2017-15361)", async () => {
  const odd = Array.from({ length: 350 }, (_, index) => 2 * index + 3);
  const primes = odd.filter((number) => odd.every((one) => one >= number || number % one !== 0));
  const product = primes.reduce((all, prime) => all * BigInt(prime), 1n);
  const modulus = (residue: bigint) => {
    const hex = ((product << 1100n) + residue).toString(16);
    return base64url(Buffer.from(hex.padStart(hex.length + hex.length % 2, "0"), "hex"));
  };
  await assertRefused({ ...rsa, n: modulus(65537n ** 5n) });
  await importVerificationKey({ ...rsa, n: modulus(65537n ** 5n + 2n) });
});
