import assert from "node:assert/strict";
import fc from "fast-check";
import { base64url, compactVerify, importJWK, type JWK } from "jose";
import type { SigningAlgorithm } from "../../lib/keys/algorithms.ts";
import { generatePrivateJwk, importSigningKey, toPublicJwk } from "../../lib/keys/signing_key.ts";
import { failureOf, pregeneratedKey } from "../support.ts";

const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

async function keyUnder(kid: string, alg: SigningAlgorithm = "RS256"): Promise<JWK> {
  return { ...await pregeneratedKey(alg), kid };
}

Deno.test("generatePrivateJwk() makes a whole RSA key of 2048 bits, another one each time", async () => {
  const one = await generatePrivateJwk("RS256");
  const other = await generatePrivateJwk("RS256");
  assert.equal(one.kty, "RSA");
  assert.equal(one.alg, "RS256");
  assert.equal(base64url.decode(one.n!).length, 256);
  assert.equal(one.e, "AQAB");
  for (const member of ["d", "p", "q", "dp", "dq", "qi"] as const) {
    assert.equal(typeof one[member], "string");
  }
  assert.notEqual(one.n, other.n);
});

Deno.test("importSigningKey() signs what its public JWK verifies, under the header that it is given", async () => {
  for (const algorithm of ["RS256", "ES256", "EdDSA"] as const) {
    const key = await importSigningKey(await keyUnder("7", algorithm));
    const { sign, publicJwk, kid, alg } = key;
    const payload = new TextEncoder().encode('{"signed":"ä"}');
    const header = { alg, kid, typ: "at+jwt" };
    const jws = await sign(header, payload);
    const verified = await compactVerify(jws, await importJWK(publicJwk, alg));
    assert.deepEqual(new Uint8Array(verified.payload), payload);
    assert.deepEqual(verified.protectedHeader, header);
    assert.equal(kid, "7");
    assert.equal(publicJwk.kid, "7");
  }
});

Deno.test("importSigningKey() gives nothing of the private half", async () => {
  for (const algorithm of ["RS256", "ES256", "EdDSA"] as const) {
    const jwk = await keyUnder("7", algorithm);
    const shown = Deno.inspect(await importSigningKey(jwk), { depth: 9, showHidden: true });
    assert.ok(!shown.includes(jwk.d!));
    assert.ok(shown.includes(publicMember(jwk)));
  }
});

function publicMember({ n, x }: JWK): string {
  return (n ?? x)!;
}

Deno.test("importSigningKey() has the public members only in its public JWK", async () => {
  const { publicJwk } = await importSigningKey(await keyUnder("7"));
  assert.deepEqual(Object.keys(publicJwk).toSorted(), ["alg", "e", "kid", "kty", "n", "use"]);
});

Deno.test("importSigningKey() refuses a key without a kid or a known algorithm", async () => {
  const jwk = await keyUnder("7");
  const { kid: _, ...nameless } = jwk;
  await assert.rejects(importSigningKey(nameless), TypeError);
  for (const alg of ["HS256", "none", "RS1", "toString", "constructor", ""]) {
    await assert.rejects(importSigningKey({ ...jwk, alg }), TypeError, alg);
  }
});

Deno.test("importSigningKey() refuses a key without its private half", async () => {
  const publicHalf = toPublicJwk(await keyUnder("7"), "7", "RS256");
  await assert.rejects(importSigningKey(publicHalf), TypeError);
  await assert.rejects(importSigningKey({ kty: "oct", k: "c2VjcmV0", kid: "7", alg: "RS256" }));
});

Deno.test("importSigningKey() refuses a key that is not whole, and does not quote it", async () => {
  const jwk = await keyUnder("7");
  for (const member of ["n", "e", "p", "q", "dp", "dq", "qi"] as const) {
    const { [member]: _, ...damaged } = jwk;
    const error = await failureOf(() => importSigningKey(damaged), member);
    const shown = Deno.inspect(error, { depth: 10, strAbbreviateSize: 10_000 });
    assert.ok(!shown.includes(jwk.d!), member);
  }
});

Deno.test("toPublicJwk() names no private member, whatever the key holds", () => {
  const members = fc.dictionary(
    fc.oneof(fc.constantFrom(...PRIVATE_MEMBERS), fc.string()),
    fc.string(),
  );
  fc.assert(fc.property(members, (extra) => {
    const jwk = { ...extra, kty: "RSA", n: "modulus", e: "AQAB" };
    assert.deepEqual(toPublicJwk(jwk, "7", "RS256"), {
      kty: "RSA",
      kid: "7",
      use: "sig",
      alg: "RS256",
      n: "modulus",
      e: "AQAB",
    });
  }));
});
